package keys_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/vm"
)

const foreignLine = `no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hJ5Wq3X0mV9p4mYQ0gJd2bq0m2m8zjv6iWf6yqk3f ann@laptop`

// rotated wants a VM to let in the default key, and of azlin's keys no other.
func (l *lab) rotated(name, old string) {
	l.Helper()
	content, now := l.authorized(name), l.public(l.defaultKey())
	if blob(now) == blob(old) {
		l.Errorf("%s: the default key is still the old one", name)
	}
	if strings.Contains(content, blob(old)) || strings.Count(content, blob(now)) != 1 || !strings.Contains(content, foreignLine+"\n") {
		l.Errorf("%s lets in:\n%s\nold %s\nnew %s", name, content, old, now)
	}
}

// TestRotationSurvivesAnyCut cuts a rotation off before and after each of its steps, on this machine and on the VM. After
// each cut a key that azlin uses by itself lets in, and the next rotation ends well.
func TestRotationSurvivesAnyCut(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create("dev")
	l.letIn("dev", l.authorized("dev")+foreignLine+"\n")
	for n := 1; ; n++ {
		old := l.public(l.defaultKey())
		ctx, cancel := context.WithCancelCause(t.Context())
		var mu sync.Mutex
		left, where := n, ""
		client := l.open(nil)
		vms := []vm.Info{l.vm(client, "dev")}
		_, err := client.Rotator.RotateKeysBatch(ctx, vms, "", keys.Options{Report: func(s keys.Step) {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				where = fmt.Sprintf("%q, done %v, on vm %q", s.Name, s.Done, s.VM)
				cancel(local.ErrKilled)
			}
		}})
		cancel(nil)
		if where == "" {
			if err != nil {
				t.Fatalf("it was not cut off, but: %v", err)
			}
			if n < 24 {
				t.Errorf("only %d cuts", n-1)
			}
			t.Logf("%d cuts", n-1)
			l.rotated("dev", old)
			break
		}
		if err == nil && !strings.Contains(where, `"forget operation", done true`) || err != nil && !errors.Is(err, local.ErrKilled) {
			t.Fatalf("cut %d at %s: %v", n, where, err)
		}
		if r, err := l.run("dev", "true"); err != nil || !r.Success {
			t.Fatalf("cut %d at %s: nothing lets in: %v", n, where, err)
		}
		// A new process, which knows the files only.
		client = l.open(nil)
		again := vms
		if op, err := client.Rotator.Unfinished(); err != nil {
			t.Fatal(err)
		} else if op != nil {
			again = nil // it knows itself
		} else if blob(l.public(l.defaultKey())) != blob(old) {
			again = nil // it was done
		}
		results, err := client.Rotator.RotateKeysBatch(t.Context(), again, "", keys.Options{})
		if err != nil {
			t.Fatalf("after cut %d at %s: %v", n, where, err)
		}
		for _, r := range results {
			if r.Name != "dev" || !r.Success || r.Err != nil || !r.OldKeyBackedUp {
				t.Errorf("after cut %d at %s: %+v", n, where, r)
			}
		}
		l.rotated("dev", old)
		l.nothingLeft()
		if t.Failed() {
			t.Fatalf("cut %d at %s", n, where)
		}
	}
	l.nothingLeft()
	for _, earlier := range l.open(nil).Hosts.EarlierKeys {
		path := earlier.Path
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("copy %s: %v, %v", path, info, err)
		}
	}
}

// TestRotationsAtOnce: several plan at the same time, one rotates, and the others change nothing.
func TestRotationsAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create("dev")
	l.letIn("dev", l.authorized("dev")+foreignLine+"\n")
	old := l.public(l.defaultKey())
	var plans []*keys.Plan
	var clients []*azlin.Client
	for range 3 {
		c := l.open(nil)
		plan, err := c.Rotator.Plan(t.Context(), []vm.Info{l.vm(c, "dev")}, "", keys.Options{})
		if err != nil {
			t.Fatal(err)
		}
		clients, plans = append(clients, c), append(plans, plan)
	}
	var done, refused atomic.Int64
	var all sync.WaitGroup
	for n := range plans {
		all.Go(func() {
			results, err := clients[n].Rotator.Run(t.Context(), plans[n])
			switch {
			case err == nil && results[0].Success:
				done.Add(1)
			case errkind.Of(err) == errkind.Conflict && !results[0].Success:
				refused.Add(1)
			default:
				t.Errorf("%+v, %v", results, err)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 || refused.Load() != 2 {
		t.Errorf("%d rotated, %d were refused", done.Load(), refused.Load())
	}
	l.rotated("dev", old)
	l.nothingLeft()

	// One that was cut off is gone on with by several at once, too.
	old = l.public(l.defaultKey())
	ctx, cancel := context.WithCancel(t.Context())
	_, _ = l.open(nil).Rotator.RotateKeysBatch(ctx, []vm.Info{l.vm(clients[0], "dev")}, "", keys.Options{Report: func(s keys.Step) {
		if s.Name == "switch default key" && s.Done {
			cancel()
		}
	}})
	cancel()
	plans, clients = nil, nil
	for range 2 {
		c := l.open(nil)
		plan, err := c.Rotator.Plan(t.Context(), nil, "", keys.Options{})
		if err != nil || !plan.Resumes {
			t.Fatal(plan, err)
		}
		clients, plans = append(clients, c), append(plans, plan)
	}
	_, first := clients[0].Rotator.Run(t.Context(), plans[0])
	_, second := clients[1].Rotator.Run(t.Context(), plans[1])
	if first != nil || errkind.Of(second) != errkind.Conflict {
		t.Errorf("%v; %v", first, second)
	}
	l.rotated("dev", old)
	l.nothingLeft()
}

// TestRotationSurvivesBrokenConnections breaks every connection to the VM after some bytes, in the middle of what happens
// there too.
func TestRotationSurvivesBrokenConnections(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create("dev")
	l.letIn("dev", l.authorized("dev")+foreignLine+"\n")
	failed := 0
	for bytes := 2600; bytes < 3500; bytes += 100 {
		old := l.public(l.defaultKey())
		client := l.open(nil)
		vms := []vm.Info{l.vm(client, "dev")}
		if _, err := l.Emulator.AddFault(fault.Rule{Effect: fault.SSHDrop, Bytes: bytes}); err != nil {
			t.Fatal(err)
		}
		results, err := client.Rotator.RotateKeysBatch(t.Context(), vms, "", keys.Options{})
		l.Emulator.ClearFaults()
		if len(results) != 1 || results[0].Success != (err == nil) || err != nil && !errors.Is(err, keys.ErrVMs) {
			t.Fatalf("after %d bytes: %+v, %v", bytes, results, err)
		}
		if !results[0].Success {
			failed++
			t.Logf("after %d bytes: %v", bytes, results[0].Err)
			if errkind.Of(results[0].Err) != errkind.Unreachable {
				t.Errorf("after %d bytes: %v", bytes, results[0].Err)
			}
			if r, err := l.run("dev", "true"); err != nil || !r.Success {
				t.Fatalf("after %d bytes: nothing lets in: %v", bytes, err)
			}
			if _, err := l.open(nil).Rotator.RotateKeysBatch(t.Context(), vms, "", keys.Options{}); err != nil {
				t.Fatalf("after %d bytes, the next: %v", bytes, err)
			}
		}
		l.rotated("dev", old)
		l.nothingLeft()
		if t.Failed() {
			t.Fatalf("after %d bytes", bytes)
		}
	}
	if failed < 3 {
		t.Errorf("only %d rotations were broken off", failed)
	}
}

// TestRotationSurvivesLostRequests kills the process at each of its requests, one of which has Azure add the key.
func TestRotationSurvivesLostRequests(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create("dev")
	l.letIn("dev", l.authorized("dev")+foreignLine+"\n")
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			old := l.public(l.defaultKey())
			// Nobody at this machine can sign in until Azure has added the new key: the VM has somebody else's only.
			had := l.authorized("dev")
			l.letIn("dev", foreignLine+"\n")
			ctx, cancel := context.WithCancel(t.Context())
			crash := &local.Crash{N: n, After: after, Die: cancel}
			client := l.open(crash.Through)
			_, err := client.Rotator.RotateKey(ctx, vm.Ref{ResourceGroup: "g", Name: "dev"}, "", keys.Options{ViaAzure: true})
			cancel()
			if survived := crash.Seen() < n || crash.Seen() == n && err == nil; survived {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			if err == nil {
				t.Fatalf("request %d, carried out %v: it was not killed", n, after)
			}
			if _, err := l.open(nil).Rotator.RotateKey(t.Context(), vm.Ref{ResourceGroup: "g", Name: "dev"}, "", keys.Options{ViaAzure: true}); err != nil {
				t.Fatalf("request %d, carried out %v: the next rotation: %v", n, after, err)
			}
			if content := l.authorized("dev"); content != foreignLine+"\n"+l.public(l.defaultKey())+"\n" || blob(l.public(l.defaultKey())) == blob(old) {
				t.Fatalf("request %d, carried out %v: it lets in\n%s\nbefore\n%s", n, after, content, had)
			}
			l.nothingLeft()
			if n > 100 {
				t.Fatal("it never ends")
			}
		}
	}
}
