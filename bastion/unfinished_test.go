package bastion_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/emulator"
)

// TestCreationCutOffIsAnOperation cuts a creation off before and after each of its requests: whatever has been made, any machine
// lists it, and ends it with one Bastion, or with nothing.
func TestCreationCutOffIsAnOperation(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"resume", "abandon"} {
		for _, after := range []bool{false, true} {
			listed := 0
			for n := 1; ; n++ {
				more := false
				t.Run(fmt.Sprintf("%s,%d,after=%v", verb, n, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						found := false
						if more, found = creationCutOff(t, verb, n, after); found {
							listed++
						}
					})
				})
				if !more {
					break
				}
			}
			if listed < 3 {
				t.Errorf("%s, after=%v: only %d cuts left something", verb, after, listed)
			}
		}
	}
}

func creationCutOff(t *testing.T, verb string, n int, after bool) (more, found bool) {
	t.Helper()
	l := newLab(t, emulator.Options{Realistic: true})
	vnet := l.plainVNet("net", "10.7.0.0/16", "10.7.0.0/20")
	count := func(kind string) int { return l.Emulator.Counts().Resources["Microsoft.Network/"+kind] }
	more = l.dies(n, after, func(ctx context.Context, s *bastion.Service) error {
		plan, err := s.PlanCreate(ctx, bastion.CreateOptions{VNet: vnet, Name: "hub", IPConnect: true})
		if err == nil {
			_, err = s.Create(ctx, plan, nil)
		}
		return err
	})
	operations := &change.Service{Azure: l.azure, Handlers: []change.Handler{l.bastions.Handler("ann")}}
	all, err := operations.List(t.Context(), group)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		b, p := count("bastionHosts"), count("publicIPAddresses")
		if made, err := l.bastions.Get(t.Context(), group, "hub"); b+p > 0 && (err != nil || made.State != "Succeeded") {
			t.Errorf("%d Bastions and %d addresses are listed by nobody", b, p)
		}
		return more, false
	}
	if u := all[0]; len(all) != 1 || u.Kind != change.Bastion || len(u.Resources) == 0 || u.ResourceGroup != group || u.Created == nil {
		t.Fatalf("listed: %+v", all)
	}
	plan := operations.Resume
	if verb == "abandon" {
		l.Emulator.Advance(40 * step) // Azure deletes nothing that it is making
		plan = operations.Abandon
	}
	p, err := plan(t.Context(), all[0])
	if err != nil || len(p.Steps) == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if verb == "resume" {
		b, err := l.bastions.Get(t.Context(), group, "hub")
		if err != nil || b.State != "Succeeded" || !b.IPConnect || b.SKU != bastion.Standard {
			t.Errorf("resumed: %+v, %v", b, err)
		}
	} else if b, p := count("bastionHosts"), count("publicIPAddresses"); b+p != 0 {
		t.Errorf("abandoned: %d Bastions and %d addresses are left", b, p)
	}
	if left, err := operations.List(t.Context(), ""); err != nil || len(left) != 0 {
		t.Errorf("left: %+v, %v", left, err)
	}
	return more, true
}
