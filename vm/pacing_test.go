package vm_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
)

var pacingSeed = flag.Uint64("pacing-seed", 1, "first seed of the faults in TestFaultsCostFewCalls")

// faulty is a transport to an emulator that rules spoil, which counts the requests and when they were made.
type faulty struct {
	handler http.Handler
	mu      sync.Mutex
	sent    []time.Time
}

func behind(t *testing.T, l *lab.Lab, rules *fault.Set) *faulty {
	return &faulty{handler: rules.Handler(l.Emulator, func(r *http.Request) (fault.Request, bool) {
		return fault.Request{Method: r.Method, Path: r.URL.Path}, strings.HasPrefix(r.URL.Path, "/subscriptions/")
	})}
}

func (f *faulty) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	f.mu.Lock()
	f.sent = append(f.sent, time.Now())
	f.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			if p != any(http.ErrAbortHandler) {
				panic(p)
			}
			resp, err = nil, syscall.ECONNRESET
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, in)
	resp = w.Result()
	resp.Request = r
	return resp, nil
}

// fleetRun lists a fleet, stops all of it, lists it and starts all of it, ten at a time, and returns the errors.
func fleetRun(ctx context.Context, t *testing.T, l *lab.Lab, s *lab.Services, vms int) (failed []error) {
	var mu sync.Mutex
	note := func(err error) {
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, err)
		}
	}
	all := func(f func(name string) (vm.LifecycleResult, error)) {
		_, err := s.List(ctx, vm.ListOptions{ResourceGroup: group})
		note(err)
		var g errgroup.Group
		g.SetLimit(10)
		for i := range vms {
			g.Go(func() error {
				_, err := f(fmt.Sprintf("vm-%03d", i+1))
				note(err)
				return nil
			})
		}
		note(g.Wait())
	}
	all(func(name string) (vm.LifecycleResult, error) {
		return s.Stop(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.PowerOptions{})
	})
	all(func(name string) (vm.LifecycleResult, error) {
		return s.Start(ctx, vm.Ref{ResourceGroup: group, Name: name}, vm.PowerOptions{})
	})
	return failed
}

// runWith makes a fleet run on an Azure of its own, with Azure's limits, in virtual time.
func runWith(t *testing.T, vms int, rules ...fault.Rule) (f *faulty, failed []error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{Realistic: true, TokenLifetime: 240 * time.Hour, Quota: map[string]int{"cores": 5000, "standardBSFamily": 5000}})
		if err := l.Emulator.Seed(emulator.SeedOptions{Group: group, Location: region, VMs: vms}); err != nil {
			t.Fatal(err)
		}
		var set fault.Set
		for _, r := range rules {
			if _, err := set.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		f = behind(t, l, &set)
		s, _ := l.Open(func(o *azure.Options) { o.HTTP = &http.Client{Transport: f} })
		failed = fleetRun(t.Context(), t, l, s, vms)
	})
	return f, failed
}

// TestFaultsCostFewCalls has 5 % of the calls go wrong: every VM ends as it should, for a tenth more calls at most.
func TestFaultsCostFewCalls(t *testing.T) {
	t.Parallel()
	const vms = 80
	clean, failed := runWith(t, vms)
	if len(failed) > 0 {
		t.Fatal(failed)
	}
	for seed := *pacingSeed; seed < *pacingSeed+8; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			var rules []fault.Rule
			for i, effect := range []fault.Effect{fault.Throttle, fault.ThrottleNow, fault.Error500, fault.Error503, fault.ResetBefore, fault.ResetAfter} {
				rules = append(rules, fault.Rule{Effect: effect, Probability: 0.05 / 6, Seed: seed*100 + uint64(i), Delay: 5 * time.Second})
			}
			f, failed := runWith(t, vms, rules...)
			if len(failed) > 0 {
				t.Error(failed)
			}
			t.Logf("%d calls, %d without faults", len(f.sent), len(clean.sent))
			if n, without := len(f.sent), len(clean.sent); n <= without || float64(n) > 1.1*float64(without) {
				t.Errorf("%d calls with faults, %d without: -pacing-seed %d", n, without, seed)
			}
		})
	}
}

// TestNoRetryStorm has every call refused, for ever: what a whole fleet asks for stays a trickle, and ends.
func TestNoRetryStorm(t *testing.T) {
	t.Parallel()
	for _, effect := range []fault.Effect{fault.Throttle, fault.ThrottleNow, fault.Error503, fault.Error500, fault.ResetBefore} {
		t.Run(string(effect), func(t *testing.T) {
			t.Parallel()
			const vms = 60
			f, failed := runWith(t, vms, fault.Rule{Effect: effect})
			if len(failed) != 2+2*vms {
				t.Errorf("%d of %d failed", len(failed), 2+2*vms)
			}
			if per := float64(len(f.sent)) / float64(2*4+2*vms); per > 4 {
				t.Errorf("%.1f tries of a call", per)
			}
			t.Logf("%d calls, at most %d in a second, %d in a minute", len(f.sent), busiest(f.sent, time.Second), busiest(f.sent, time.Minute))
			if n := busiest(f.sent[1:], time.Second); n > 14 { // ten at once, before anything is known
				t.Errorf("%d calls within a second", n)
			}
			if n := busiest(f.sent[1:], time.Minute); n > 80 {
				t.Errorf("%d calls within a minute", n)
			}
		})
	}
}

// busiest is the most events within a span of time.
func busiest(at []time.Time, span time.Duration) (most int) {
	from := 0
	for i := range at {
		for at[i].Sub(at[from]) >= span {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}
