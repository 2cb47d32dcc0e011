package launch_test

import (
	"net/netip"
	"testing"

	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/vm/provision"
)

// TestFieldsThatALaunchDecides sets what a launch decides itself: it is refused, where it was replaced without a word.
func TestFieldsThatALaunchDecides(t *testing.T) {
	t.Parallel()
	price, err := cost.USD("1")
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]func(*launch.Request){
		"SSHPublicKeys":             func(r *launch.Request) { r.SSHPublicKeys = []string{"ssh-ed25519 AAAA"} },
		"SSHKeyPath":                func(r *launch.Request) { r.SSHKeyPath = "/home/ann/.ssh/key" },
		"SSHSources":                func(r *launch.Request) { r.SSHSources = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")} },
		"SubnetID":                  func(r *launch.Request) { r.SubnetID = "/subscriptions/s" },
		"OperationID":               func(r *launch.Request) { r.OperationID = "1" },
		"HostKey":                   func(r *launch.Request) { r.HostKey = "ssh-ed25519 AAAA" },
		"MaxPrice and SpotMaxPrice": func(r *launch.Request) { r.Spot, r.SpotMaxPrice, r.MaxPrice = true, 0.5, price },
	} {
		r := launch.Request{Config: provision.Config{Name: "dev", Size: "Standard_B2s"}, SSHSource: "203.0.113.10"}
		set(&r)
		if _, err := new(launch.Launcher).Plan(t.Context(), r, nil); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, r := range map[string]launch.Request{
		"another pool": {Config: provision.Config{Name: "ci", Pool: "web"}}, "a session": {Config: provision.Config{Name: "ci", SessionName: "work"}},
	} {
		if _, err := new(launch.Launcher).PlanPool(t.Context(), r, 2, nil); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
