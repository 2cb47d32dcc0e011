package vm_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// atEveryRequest is local.AtEveryRequest for the service.
func atEveryRequest(t *testing.T, prepare func(*testing.T, *lab.Lab), do func(*testing.T, *lab.Services) error, check func(*testing.T, *lab.Lab)) {
	t.Helper()
	ready := func(t *testing.T, a *local.Azure) {
		t.Helper()
		if prepare != nil {
			prepare(t, lab.On(t, a))
		}
	}
	local.AtEveryRequest(t, ready, func(t *testing.T, c *azure.Client) error {
		t.Helper()
		return do(t, newServices(c))
	}, func(t *testing.T, a *local.Azure) {
		t.Helper()
		check(t, lab.On(t, a))
	})
}

func provisionDev(t *testing.T, s *lab.Services) error {
	t.Helper()
	_, err := s.Provision(t.Context(), config("dev"), nil)
	return err
}

func TestCreateResumesAfterAnyCrash(t *testing.T) {
	t.Parallel()
	atEveryRequest(t, nil, provisionDev, func(t *testing.T, l *lab.Lab) {
		t.Helper()
		s, _ := l.Open()
		d, err := s.Provision(t.Context(), config("dev"), nil)
		if err != nil {
			t.Fatalf("the second run: %v", err)
		}
		want := map[string]int{
			"Microsoft.Resources/resourceGroups": 1, "Microsoft.Compute/virtualMachines": 1, "Microsoft.Compute/disks": 1,
			"Microsoft.Network/networkInterfaces": 1, "Microsoft.Network/publicIPAddresses": 1, "Microsoft.Network/virtualNetworks": 1,
			"Microsoft.Network/networkSecurityGroups": 1,
		}
		if diff := cmp.Diff(want, l.Resources()); diff != "" {
			t.Error(diff)
		}
		if i, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}); err != nil || !i.IsRunning() || i.PublicIP != d.PublicIP || d.PublicIP == "" {
			t.Errorf("%+v, %v", i, err)
		}
	})
}

func TestKillAfterAnyCrashOfCreate(t *testing.T) {
	t.Parallel()
	atEveryRequest(t, nil, provisionDev, func(t *testing.T, l *lab.Lab) {
		t.Helper()
		s, _ := l.Open()
		sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
		if err != nil || sum.Err() != nil {
			t.Fatal(err, sum.Err())
		}
		l.OnlyShared(t)
	})
}

func killDev(t *testing.T, s *lab.Services) error {
	t.Helper()
	sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
	if err == nil {
		err = sum.Err()
	}
	return err
}

func TestKillAgainAfterAnyCrashOfKill(t *testing.T) {
	t.Parallel()
	prepare := func(t *testing.T, l *lab.Lab) {
		t.Helper()
		s, _ := l.Open()
		cfg := config("dev")
		cfg.DataDisks = []provision.DataDisk{{SizeGB: 32}}
		if _, err := s.Provision(t.Context(), cfg, nil); err != nil {
			t.Fatal(err)
		}
	}
	atEveryRequest(t, prepare, killDev, func(t *testing.T, l *lab.Lab) {
		t.Helper()
		s, _ := l.Open()
		if err := killDev(t, s); err != nil {
			t.Fatal(err)
		}
		l.OnlyShared(t)
	})
}

// TestLostAnswers: the network loses the answer to each request in turn, and the same process goes on.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for n := 1; n < 40; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := lab.New(t, emulator.Options{})
				var mu sync.Mutex
				seen := 0
				lose := func(*http.Request, *http.Response) error {
					mu.Lock()
					defer mu.Unlock()
					if seen++; seen == n {
						return errors.New("connection reset by peer")
					}
					return nil
				}
				s, _ := l.Open(func(o *azure.Options) {
					o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, Afterwards: lose}}
				})
				d, err := s.Provision(t.Context(), config("dev"), nil)
				if err != nil || d.PublicIP == "" {
					t.Fatalf("%+v, %v", d, err)
				}
				if n := l.Resources()["Microsoft.Compute/virtualMachines"]; n != 1 {
					t.Errorf("%d VMs", n)
				}
				sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
				if err != nil || sum.Err() != nil {
					t.Fatal(err, sum.Err())
				}
				l.OnlyShared(t)
			})
		})
	}
}

// TestSomebodyElseIsFaster: another user's create of the same name overtakes ours between our look and
// our PUT. The VM must stay as the first one made it.
func TestSomebodyElseIsFaster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		bob, _ := l.Open()
		theirs := config("dev")
		theirs.Owner, theirs.OperationID = "bob", "op-bob"
		var once sync.Once
		ann, _ := l.Open(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, See: func(r *http.Request) error {
				if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/virtualMachines/dev") {
					once.Do(func() {
						if _, err := bob.Provision(t.Context(), theirs, nil); err != nil {
							t.Error(err)
						}
					})
				}
				return nil
			}}}
		})
		if _, err := ann.Provision(t.Context(), config("dev"), nil); errkind.Of(err) != errkind.Conflict || !strings.Contains(err.Error(), "bob") {
			t.Errorf("got %v", err)
		}
		i, err := bob.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
		if owner, _ := azure.Tag(i.Tags, azure.TagOwner); err != nil || owner != "bob" || !i.IsRunning() {
			t.Errorf("%+v, %v", i, err)
		}
	})
}
