package vm_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
)

// user is somebody who works with VMs of their own, and what they believe of them.
type user struct {
	name     string
	service  *lab.Services
	random   *rand.Rand
	believes map[string]vm.PowerState // absent: there is no VM of that name
	log      []string
}

// act does one thing that makes sense, and goes on after errors as a person does who is told how: the same again.
func (u *user) act(ctx context.Context, t *testing.T) {
	t.Helper()
	name := fmt.Sprintf("%s-%d", u.name, u.random.IntN(3))
	state, exists := u.believes[name]
	var what string
	var do func() error
	after := vm.Running
	switch choice := u.random.IntN(10); {
	case !exists:
		what, do = "create", func() error {
			cfg := config(name)
			cfg.Owner, cfg.OperationID = u.name, "" // as after a crash: nothing is remembered
			d, err := u.service.Provision(ctx, cfg, nil)
			if err == nil {
				err = u.service.Finish(ctx, d.ID, d.OperationID)
			}
			return err
		}
	case choice < 2:
		what, after = "delete", ""
		do = func() error {
			sum, err := u.service.Delete(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.DeleteOptions{})
			if err == nil {
				err = sum.Err()
			}
			return err
		}
	case choice < 5:
		what, after = "stop", vm.Deallocated
		do = func() error {
			_, err := u.service.Stop(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.PowerOptions{})
			return err
		}
	case choice < 8 || state != vm.Running:
		what, do = "start", func() error {
			_, err := u.service.Start(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.PowerOptions{})
			return err
		}
	default:
		what, do = "restart", func() error {
			_, err := u.service.Restart(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.PowerOptions{})
			return err
		}
	}
	for try := 1; ; try++ {
		err := do()
		u.log = append(u.log, fmt.Sprintf("%s %s %s: %v", time.Now().Format("15:04:05"), what, name, err))
		if err == nil {
			break
		}
		if try == 8 {
			t.Errorf("%s %s never succeeded: %v", what, name, err)
			return
		}
		time.Sleep(time.Duration(try) * time.Minute)
	}
	if after == "" {
		delete(u.believes, name)
	} else {
		u.believes[name] = after
	}
}

// TestAFewHoursOfFourUsers is TestTortureADayOfFourUsers, shorter.
func TestAFewHoursOfFourUsers(t *testing.T) {
	t.Parallel()
	hoursOfFourUsers(t, 3*time.Hour, uint64(time.Now().UnixNano()))
}

// hoursOfFourUsers lets four users create, delete, start, stop and restart VMs at random, while one request in twenty goes
// wrong. What they believe at the end is what the cloud holds, and after they have deleted everything nothing is left.
func hoursOfFourUsers(t *testing.T, long time.Duration, seed uint64) {
	t.Helper()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{Realistic: true})
		for n, effect := range []fault.Effect{fault.Throttle, fault.Error503, fault.ResetBefore, fault.ResetAfter, fault.Error500} {
			if _, err := l.Emulator.AddFault(fault.Rule{Effect: effect, Path: "/subscriptions/*", Probability: 0.01, Seed: seed + uint64(n)}); err != nil {
				t.Fatal(err)
			}
		}
		var users []*user
		var all sync.WaitGroup
		for n := range 4 {
			s, _ := l.Open()
			u := &user{name: fmt.Sprintf("user%d", n), service: s, random: rand.New(rand.NewPCG(seed, uint64(n))), believes: map[string]vm.PowerState{}}
			users = append(users, u)
			all.Go(func() {
				for end := time.Now().Add(long); time.Now().Before(end); {
					u.act(t.Context(), t)
					time.Sleep(time.Duration(u.random.IntN(10)) * time.Minute)
				}
			})
		}
		all.Wait()
		struck := 0
		for _, f := range l.Emulator.Faults() {
			struck += f.Struck
		}
		l.Emulator.ClearFaults()
		want, have := map[string]vm.PowerState{}, map[string]vm.PowerState{}
		acts := 0
		for _, u := range users {
			maps.Copy(want, u.believes)
			acts += len(u.log)
		}
		list, err := users[0].service.List(t.Context(), vm.ListOptions{ResourceGroup: group})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list.VMs {
			have[i.Name] = i.PowerState
		}
		if diff := cmp.Diff(want, have); diff != "" || acts < 20 || struck < 5 {
			t.Errorf("after %d acts and %d faults (-believed +there):\n%s", acts, struck, diff)
			for _, u := range users {
				for _, line := range u.log {
					t.Log(line)
				}
			}
		}
		if n := l.Resources()["Microsoft.Network/networkInterfaces"]; n != len(have) {
			t.Errorf("%d network interfaces for %d VMs", n, len(have))
		}
		if sum, err := users[0].service.DeleteAll(t.Context(), group, vm.DeleteOptions{}); err != nil || sum.Err() != nil {
			t.Fatal(err, sum.Err())
		}
		l.OnlyShared(t)
		t.Logf("%d acts, %d faults, %d VMs at the end", acts, struck, len(have))
	})
}
