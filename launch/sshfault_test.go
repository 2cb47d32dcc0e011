package launch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/repository"
)

// TestLaunchUnderSSHFaults launches VMs to which SSH goes wrong in every way and at every point. Each launch ends in
// success or in an error that says how to go on, and once SSH works the same command does go on, to the cloned
// repository.
func TestLaunchUnderSSHFaults(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	project, err := repository.Parse("file://"+gitRepository(t), "feature")
	if err != nil {
		t.Fatal(err)
	}
	rules := []fault.Rule{
		{Effect: fault.SSHRefuse},
		{Effect: fault.SSHHang},
		{Effect: fault.SSHFreeze},
		{Effect: fault.SSHLimit},
		{Effect: fault.SSHRefuse, Count: 4},
		{Effect: fault.SSHHang, Count: 2},
		{Effect: fault.SSHFreeze, Count: 2},
		{Effect: fault.SSHDelay, Delay: 20 * time.Millisecond},
		{Effect: fault.SSHRefuse, Probability: 0.5, Seed: 1},
	}
	for bytes := 1800; bytes < 4200; bytes += 400 {
		rules = append(rules, fault.Rule{Effect: fault.SSHDrop, Bytes: bytes}, fault.Rule{Effect: fault.SSHFreeze, Bytes: bytes})
	}
	var lost int
	var mu sync.Mutex
	var all sync.WaitGroup
	turns := make(chan struct{}, 10)
	for n, rule := range rules {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			name := fmt.Sprintf("vm%d", n)
			rule.ID, rule.Name = name, name
			if _, err := c.Emulator.AddFault(rule); err != nil {
				t.Error(err)
				return
			}
			client := c.open(t, name, nil)
			client.Launcher.Reach.Limits = remote.Limits{Handshake: 700 * time.Millisecond, KeepAlive: 150 * time.Millisecond, Unanswered: 3}
			r := c.request(name)
			r.Repository, r.SSHTimeout = project, 2*time.Second
			if rule.Effect == fault.SSHDrop { // which takes no time, however busy this machine is
				client.Launcher.Reach.Limits, r.SSHTimeout = remote.Limits{}, 10*time.Second
			}
			began := time.Now()
			_, err := run(t.Context(), client, r)
			if took := time.Since(began); took > 3*time.Minute { // a guard against hanging: 10 of these at once, on a busy machine, take 40 s
				t.Errorf("%s of %d bytes: it took %s", rule.Effect, rule.Bytes, took)
			}
			c.Emulator.ClearFaults(name)
			if err != nil {
				next := errkind.Next(err)
				if errkind.Of(err) != errkind.Unreachable || next != (errkind.Step{Action: errkind.CreateVM, VM: name, Group: "g"}) {
					t.Errorf("%s of %d bytes: kind %q, next %+v: %v", rule.Effect, rule.Bytes, errkind.Of(err), next, err)
				}
				if errors.Is(err, remote.ErrLost) {
					mu.Lock()
					lost++
					mu.Unlock()
				}
				client := c.open(t, name, nil)
				r := c.request(name)
				r.Repository = project
				if _, err := run(t.Context(), client, r); err != nil {
					t.Errorf("%s of %d bytes, once SSH works: %v", rule.Effect, rule.Bytes, err)
					return
				}
			}
			if err := c.cloned(t.Context(), t, name); err != nil {
				t.Errorf("%s of %d bytes: %v", rule.Effect, rule.Bytes, err)
			}
		})
	}
	all.Wait()
	if lost == 0 {
		t.Error("no connection was lost after the login")
	}
}

// cloned sees that the repository is on the VM, whole, and nothing else of it.
func (c *cloud) cloned(ctx context.Context, t *testing.T, name string) error {
	t.Helper()
	match, err := c.open(t, name, nil).VMs.Resolve(ctx, name, "g")
	if err != nil {
		return err
	}
	out, err := remote.Execute(ctx, hostOf(t, c, name, match.VM), "git -C project fsck && git -C project log -1 --format=%s && ls -A", 20*time.Second)
	if err != nil || !strings.Contains(out.Stdout, "first\n") || strings.Contains(out.Stdout, ".azlin-clone") {
		return fmt.Errorf("on the VM: %+v, %w", out, err)
	}
	return nil
}
