package vm_test

import (
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local/lab"
)

// TestFreshSubscription: providers that nobody has registered yet are registered on the way.
func TestFreshSubscription(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{Unregistered: []string{"Microsoft.Compute", "Microsoft.Network"}})
		s, _ := l.Open()
		if _, err := s.Provision(t.Context(), config("dev"), nil); err != nil {
			t.Fatal(err)
		}
		if n := l.Resources()["Microsoft.Compute/virtualMachines"]; n != 1 {
			t.Errorf("%d VMs", n)
		}
	})
}
