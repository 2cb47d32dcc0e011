package status

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// behaviour is what a VM of a test does: it shows life after connect and answers after answer. Zero: never.
type behaviour struct{ connect, answer time.Duration }

// askThem asks VMs that behave like that, and says how long it took.
func askThem(t *testing.T, limit time.Duration, them []behaviour) ([]VM, time.Duration) {
	t.Helper()
	vms := make([]VM, len(them))
	for n := range vms {
		vms[n] = VM{Ref: vm.Ref{Name: fmt.Sprint(n)}, PowerState: vm.Running}
	}
	began := time.Now()
	askAll(t.Context(), limit, vms, func(ctx context.Context, v *VM, shows func(bool)) error {
		var n int
		if _, err := fmt.Sscan(v.Name, &n); err != nil {
			return err
		}
		shows(false)
		wait := func(d time.Duration) error {
			if d <= 0 {
				d = 24 * time.Hour
			}
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := wait(them[n].connect); err != nil {
			return err
		}
		shows(true)
		if err := wait(them[n].answer - them[n].connect); err != nil {
			return err
		}
		v.Uptime = new(time.Hour)
		return nil
	})
	return vms, time.Since(began)
}

// TestDeadVMsDelayNobody asks fifty VMs of which two are dead and one is slow: it takes as long as the slow one and at
// most a fifth more, and the slow one has answered.
func TestDeadVMsDelayNobody(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, tc := range map[string]struct {
		slow behaviour
		most time.Duration
	}{
		"slow to answer":  {behaviour{300 * ms, 8000 * ms}, 9600 * ms},
		"slow to connect": {behaviour{1900 * ms, 7000 * ms}, 8400 * ms},
		"none is slow":    {behaviour{100 * ms, 400 * ms}, patience},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				them := make([]behaviour, 50)
				for n := range them {
					them[n] = behaviour{time.Duration(n) * ms, time.Duration(400+n*10) * ms}
				}
				them[0], them[7], them[8] = behaviour{20 * ms, 300 * ms}, behaviour{}, behaviour{}
				them[9] = tc.slow
				vms, took := askThem(t, time.Minute, them)
				if took > tc.most {
					t.Errorf("it took %s", took)
				}
				for n, v := range vms {
					dead := n == 7 || n == 8
					if dead != (errkind.Of(v.Err) == errkind.Unreachable) || dead == (v.Uptime != nil) {
						t.Errorf("%d: %v, up %v", n, v.Err, v.Uptime)
					}
				}
			})
		})
	}
}

// TestTimeIsUp has VMs that show life and do not answer, and nothing but dead ones.
func TestTimeIsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, them := range map[string][]behaviour{
			"hung": {{time.Millisecond, time.Second}, {time.Millisecond, 0}}, "all dead": {{}, {}},
		} {
			vms, took := askThem(t, 10*time.Second, them)
			if took != 10*time.Second || errkind.Of(vms[1].Err) != errkind.Unreachable || vms[1].Uptime != nil {
				t.Errorf("%s: %s, %v", name, took, vms[1].Err)
			}
		}
	})
}

// TestOthersAreNotAsked has VMs that do not run.
func TestOthersAreNotAsked(t *testing.T) {
	t.Parallel()
	vms := []VM{{PowerState: vm.Stopped}, {PowerState: vm.Deallocated}, {PowerState: vm.Starting}, {PowerState: vm.UnknownState}}
	askAll(t.Context(), time.Second, vms, func(context.Context, *VM, func(bool)) error { return errors.New("asked") })
	for _, v := range vms {
		if v.Err != nil {
			t.Errorf("%s: %v", v.PowerState, v.Err)
		}
	}
}
