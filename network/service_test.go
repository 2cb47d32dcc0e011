package network_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/network"
)

func TestEnsureShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		s, door := l.nets, l.c
		for range 2 {
			id, err := s.EnsureShared(t.Context(), group, region, "ann", nil)
			if err != nil || id != s.VNetID(group, network.VNetName(region)) {
				t.Fatalf("%s, %v", id, err)
			}
		}
		want := map[string]int{"Microsoft.Resources/resourceGroups": 1, "Microsoft.Network/virtualNetworks": 1}
		if diff := cmp.Diff(want, l.Resources()); diff != "" || door.RequestsByMethod()["PUT"] != 2 {
			t.Errorf("%d PUTs\n%s", door.RequestsByMethod()["PUT"], diff)
		}
		// A VM goes there.
		if l.launch(22); l.Resources()["Microsoft.Network/virtualNetworks"] != 1 {
			t.Errorf("%v", l.Resources())
		}
	})
}
