package launch_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/remote"
)

// TestAdmission is an operator who has moved: the address is not admitted until the rule is where the operator is.
func TestAdmission(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "laptop", nil)
	result, err := run(t.Context(), client, c.request("dev"))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Operator.Check(t.Context(), result.VM.Name, result.VM.NICs); err != nil {
		t.Errorf("who launched it: %v", err)
	}
	l := client.Operator
	l.Source = "198.51.100.7"
	err = l.Check(t.Context(), result.VM.Name, result.VM.NICs)
	refusal, ok := errors.AsType[*network.NotAdmitted](err)
	if !ok || errkind.Of(err) != errkind.Unreachable || !errors.Is(err, remote.ErrConnection) ||
		!strings.Contains(err.Error(), "your address 198.51.100.7 is not admitted: rule DenyAllInBound of network security group dev-nsg refuses it") {
		t.Fatalf("got %v", err)
	}
	theirs := *refusal
	theirs.Writable = false
	if err := l.Admit(t.Context(), &theirs); err == nil || !strings.Contains(err.Error(), "its owner has to admit 198.51.100.7 at port 22") {
		t.Errorf("a group of somebody else's: %v", err)
	}
	if err := l.Admit(t.Context(), refusal); err != nil {
		t.Fatal(err)
	}
	if err := l.Check(t.Context(), result.VM.Name, result.VM.NICs); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	a, err := client.Networks.SSHAdmission(t.Context(), result.VM.NICs, netip.MustParseAddr("203.0.113.10"), 0)
	if err != nil || a.Admitted {
		t.Errorf("the address that was left is still admitted: %+v, %v", a, err)
	}
	l.Source = "nowhere"
	if err := l.Check(t.Context(), result.VM.Name, result.VM.NICs); errkind.Of(err) != errkind.Invalid {
		t.Errorf("nonsense: %v", err)
	}
	l.Source, l.EchoServices = "", []string{"https://127.0.0.1:1/"}
	if err := l.Check(t.Context(), result.VM.Name, result.VM.NICs); errkind.Of(err) != errkind.Prerequisite {
		t.Errorf("an address that nobody tells: %v", err)
	}
}
