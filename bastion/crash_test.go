package bastion_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
)

// killing is a transport whose process dies at a request: before it is sent, or after Azure has carried it out.
type killing struct {
	http.RoundTripper

	count *atomic.Int64
	at    int64
	after bool
	kill  context.CancelCauseFunc
}

// step is how long a person waits before the next attempt.
const step = 30 * time.Second

var errKilled = errors.New("the process was killed")

func (k killing) RoundTrip(r *http.Request) (*http.Response, error) {
	if k.count.Add(1) != k.at {
		return k.RoundTripper.RoundTrip(r)
	}
	if k.after {
		if resp, err := k.RoundTripper.RoundTrip(r); err == nil {
			_ = resp.Body.Close()
		}
	}
	k.kill(errKilled)
	return nil, errKilled
}

// dies runs a call in a process that dies at its n-th request, and reports whether it came to that.
func (l *lab) dies(n int, after bool, call func(context.Context, *bastion.Service) error) bool {
	l.Helper()
	ctx, kill := context.WithCancelCause(l.Context())
	defer kill(nil)
	var count atomic.Int64
	_, s := l.open(func(o *azure.Options, _ *bastion.Options) {
		hc := *o.HTTP
		hc.Transport = killing{o.HTTP.Transport, &count, int64(n), after, kill}
		o.HTTP = &hc
	})
	if err := call(ctx, s); err != nil && context.Cause(ctx) == nil {
		l.Errorf("killed at %d: %v", n, err)
	}
	return context.Cause(ctx) != nil
}

// TestKilledAtEveryRequest kills create and delete before and after each of their requests: another create ends with
// exactly one Bastion, another delete with nothing.
func TestKilledAtEveryRequest(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		killed := 0
		for n := 1; ; n++ {
			more := false
			t.Run(fmt.Sprintf("%d,after=%v", n, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { more = killedOnce(t, n, after) })
			})
			if !more {
				break
			}
			killed++
		}
		if killed < 10 {
			t.Errorf("after=%v: only %d requests were cut", after, killed)
		}
	}
}

func killedOnce(t *testing.T, n int, after bool) (more bool) {
	l := newLab(t, emulator.Options{Realistic: true})
	vnet := l.plainVNet("net", "10.7.0.0/16", "10.7.0.0/20")
	count := func(kind string) int { return l.Emulator.Counts().Resources["Microsoft.Network/"+kind] }
	create := func(ctx context.Context, s *bastion.Service) error {
		plan, err := s.PlanCreate(ctx, bastion.CreateOptions{VNet: vnet, Name: "hub"})
		if err == nil {
			_, err = s.Create(ctx, plan, nil)
		}
		return err
	}
	if l.dies(n, after, create) {
		more = true
		// Azure goes on: what is under way is waited for, as a person would.
		for range 20 {
			err := create(t.Context(), l.bastions)
			if err == nil || errkind.Of(err) == errkind.Conflict && strings.Contains(err.Error(), "(Succeeded)") {
				break
			}
			if errkind.Of(err) != errkind.Conflict {
				t.Fatalf("create again: %v", err)
			}
			l.Emulator.Advance(step)
		}
	}
	if b, p := count("bastionHosts"), count("publicIPAddresses"); b != 1 || p != 1 {
		t.Fatalf("%d Bastions and %d addresses", b, p)
	}
	l.reaching(vnet, "hub")

	remove := func(ctx context.Context, s *bastion.Service) error {
		plan, err := s.PlanDelete(ctx, group, "hub")
		if err == nil {
			err = s.Delete(ctx, plan, nil)
		}
		return err
	}
	if l.dies(n, after, remove) {
		more = true
		l.Emulator.Advance(20 * step)
		if err := remove(t.Context(), l.bastions); err != nil && errkind.Of(err) != errkind.NotFound {
			t.Fatalf("delete again: %v", err)
		}
	}
	if b, p := count("bastionHosts"), count("publicIPAddresses"); b+p != 0 {
		t.Errorf("%d Bastions and %d addresses are left", b, p)
	}
	v, err := l.azure.VNets().Get(t.Context(), group, "net", nil)
	if err != nil || len(v.Properties.Subnets) != 1 {
		t.Errorf("%d subnets, %v", len(v.Properties.Subnets), err)
	}
	return more
}
