package resize_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/upkeep/resize"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

const (
	group = "azlin-rg"
	small = "Standard_D2s_v5"
	large = "Standard_D4s_v5"
)

func service(c *azure.Client) *resize.Resizer {
	return &resize.Resizer{Azure: c, VMs: vm.New(c, vm.Options{}), Catalog: catalog.New(c, "")}
}

// provision makes the VM dev, running.
func provisioned(t *testing.T, a *local.Azure) {
	t.Helper()
	_, err := provision.New(a.Client(), provision.Options{}).Provision(t.Context(), provision.Config{
		Name: "dev", ResourceGroup: group, Region: "westus2", Size: small, OperationID: "one",
		SSHPublicKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hJ5Wq3X0mV9p4mYQ0gJd2bq0m2m8zjv6iWf6yqk3f ann@laptop"},
		SSHSources:    []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, s *resize.Resizer, size string) (resize.Result, error) {
	t.Helper()
	p, err := s.Plan(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, size)
	if err != nil {
		return resize.Result{}, err
	}
	return s.Run(t.Context(), p, nil)
}

// is checks size and power state, and that no record of a resize is left.
func is(t *testing.T, s *resize.Resizer, size string, power vm.PowerState) {
	t.Helper()
	i, err := s.VMs.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
	if err != nil || i.VMSize != size || i.PowerState != power {
		t.Errorf("it is %s and %s, %v; want %s and %s", i.VMSize, i.PowerState, err, size, power)
	}
	if left, ok := azure.Tag(i.Tags, azure.TagResize); ok {
		t.Errorf("the tag says %q", left)
	}
}

func TestResizeKeepsThePowerState(t *testing.T) {
	t.Parallel()
	for _, power := range []vm.PowerState{vm.Running, vm.Stopped, vm.Deallocated} {
		t.Run(string(power), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := local.New(t, emulator.Options{})
				provisioned(t, a)
				s := service(a.Client())
				if power != vm.Running {
					if _, err := s.VMs.Stop(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.PowerOptions{KeepAllocation: power == vm.Stopped}); err != nil {
						t.Fatal(err)
					}
				}
				r, err := run(t, s, large)
				if err != nil || !r.Success || r.From != small || r.Size != large || r.Before != power || r.After != power || r.Unchanged {
					t.Errorf("%+v, %v", r, err)
				}
				is(t, s, large, power)
				if r, err = run(t, s, strings.ToLower(large)); err != nil || !r.Unchanged || !r.Success {
					t.Errorf("again: %+v, %v", r, err)
				}
			})
		})
	}
}

// TestResizeRefusals: what Azure would refuse is refused before anything is sent.
func TestResizeRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := local.New(t, emulator.Options{Quota: map[string]int{"cores": 7}})
		provisioned(t, a)
		writes := 0
		s := service(a.Client(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, See: func(r *http.Request) error {
				if r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/token") {
					writes++
				}
				return nil
			}}}
		}))
		for _, c := range []struct {
			size, want string
			kind       errkind.Kind
		}{
			{"Standard_D2ps_v5", "what is installed there is for x64, and that size is Arm64", errkind.Invalid},
			{"Standard_D2ds_v5", "temporary disk", errkind.Invalid},
			{"Standard_Nonsense", "Standard_Nonsense", errkind.Invalid},
			{"Standard_D8s_v5", "vCPUs", errkind.Quota},
		} {
			_, err := run(t, s, c.size)
			if errkind.Of(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v [%s]", c.size, err, errkind.Of(err))
			}
		}
		if _, err := s.Plan(t.Context(), vm.Ref{ResourceGroup: group, Name: "nosuch"}, large); errkind.Of(err) != errkind.NotFound {
			t.Error(err)
		}
		if writes > 0 {
			t.Errorf("%d writes", writes)
		}
		is(t, s, small, vm.Running)
	})
}

// TestResizeGoesBack: Azure has no room for the new size when the VM starts.
func TestResizeGoesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := local.New(t, emulator.Options{Exhausted: []string{large}})
		provisioned(t, a)
		s := service(a.Client())
		r, err := run(t, s, large)
		if errkind.Of(err) != errkind.Capacity || !r.WentBack || r.Success || r.Size != small || r.After != vm.Running {
			t.Errorf("%+v, %v", r, err)
		}
		if err == nil || !strings.Contains(err.Error(), "it is "+small+" and running again") {
			t.Error(err)
		}
		is(t, s, small, vm.Running)
	})
}

// TestResizeAfterAnyCrash: whoever resizes it again, knowing nothing of the first time, ends it, with the power state from
// before, whether for the same size or to go back.
func TestResizeAfterAnyCrash(t *testing.T) {
	t.Parallel()
	for _, size := range []string{large, small} {
		t.Run("then "+size, func(t *testing.T) {
			t.Parallel()
			local.AtEveryRequest(t, provisioned, func(t *testing.T, c *azure.Client) error {
				t.Helper()
				_, err := run(t, service(c), large)
				return err
			}, func(t *testing.T, a *local.Azure) {
				t.Helper()
				s := service(a.Client())
				if r, err := run(t, s, size); err != nil || !r.Success {
					t.Errorf("the second run: %+v, %v", r, err)
				}
				is(t, s, size, vm.Running)
			})
		})
	}
}

// TestResizeAfterAnyCrashIsAnOperation: wherever it is cut off, as soon as anything was changed, any machine lists it, and goes
// on with it to the size that was asked for, or gives it up for the one from before.
func TestResizeAfterAnyCrashIsAnOperation(t *testing.T) {
	t.Parallel()
	for verb, size := range map[string]string{"resume": large, "abandon": small} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			local.AtEveryRequest(t, provisioned, func(t *testing.T, c *azure.Client) error {
				t.Helper()
				_, err := run(t, service(c), large)
				return err
			}, func(t *testing.T, a *local.Azure) {
				t.Helper()
				c := a.Client()
				s := service(c)
				operations := &change.Service{Azure: c, Handlers: []change.Handler{s.Handler()}}
				i, err := s.VMs.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
				if err != nil {
					t.Fatal(err)
				}
				all, err := operations.List(t.Context(), group)
				if _, tagged := azure.Tag(i.Tags, azure.TagResize); !tagged {
					if len(all) != 0 || err != nil || i.PowerState != vm.Running || i.VMSize != small && i.VMSize != large {
						t.Errorf("nothing says what was begun: %+v, %v; %s %s", all, err, i.VMSize, i.PowerState)
					}
					return
				}
				if err != nil || len(all) != 1 || all[0].Kind != change.Resize || all[0].VM != "dev" || all[0].Created == nil ||
					all[0].Step != "from "+small+" to "+large || len(all[0].Resources) != 1 || all[0].Here() {
					t.Fatalf("listed: %+v, %v", all, err)
				}
				plan := operations.Resume
				if verb == "abandon" {
					plan = operations.Abandon
				}
				p, err := plan(t.Context(), all[0])
				if err != nil || len(p.Steps) == 0 {
					t.Fatalf("%+v, %v", p, err)
				}
				if result, err := p.Run(t.Context(), nil); err != nil {
					t.Errorf("%+v, %v", result, err)
				}
				is(t, s, size, vm.Running)
				if left, err := operations.List(t.Context(), ""); err != nil || len(left) != 0 {
					t.Errorf("left: %+v, %v", left, err)
				}
			})
		})
	}
}

// TestResizeOfAnEarlierAzlin: its tag does not say which size was asked for, so that it can only be given up, or resized.
func TestResizeOfAnEarlierAzlin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := local.New(t, emulator.Options{})
		provisioned(t, a)
		c := a.Client()
		s := service(c)
		i, err := s.VMs.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.MergeTags(t.Context(), i.ID, map[string]string{azure.TagResize: large + " deallocated"}); err != nil {
			t.Fatal(err)
		}
		operations := &change.Service{Azure: c, Handlers: []change.Handler{s.Handler()}}
		u, err := operations.Get(t.Context(), "", "dev")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := operations.Resume(t.Context(), u); errkind.Of(err) != errkind.Conflict || !strings.Contains(err.Error(), "which size was asked for is not known") {
			t.Error(err)
		}
		p, err := operations.Abandon(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(t.Context(), nil); err != nil {
			t.Error(err)
		}
		is(t, s, large, vm.Deallocated)
	})
}

// TestResizeCutOff: what a cut leaves is said, with the command that goes on.
func TestResizeCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := local.New(t, emulator.Options{})
		provisioned(t, a)
		s := service(a.Client(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, See: func(r *http.Request) error {
				if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/dev") {
					return local.Final{Cause: errors.New("no network")}
				}
				return nil
			}}}
		}))
		_, err := run(t, s, large)
		var e *errkind.Error
		if !errors.As(err, &e) || e.Next != (errkind.Step{Action: errkind.ResizeVM, VM: "dev", Group: group, Name: large}) {
			t.Errorf("%v: %+v", err, e)
		}
	})
}
