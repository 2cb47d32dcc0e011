package vm_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
)

func TestAdopt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, c := l.Open()
		if _, err := s.Provision(t.Context(), config("dev"), nil); err != nil {
			t.Fatal(err)
		}
		before, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
		if err != nil {
			t.Fatal(err)
		}
		// As if somebody else had made it, with a tag of their own.
		if err := c.DeleteTags(t.Context(), before.ID, azure.TagManagedBy, azure.TagSession, azure.TagOwner, azure.TagOperation); err != nil {
			t.Fatal(err)
		}
		if err := c.MergeTags(t.Context(), before.ID, map[string]string{"team": "web"}); err != nil {
			t.Fatal(err)
		}
		if l, err := s.List(t.Context(), vm.ListOptions{}); err != nil || len(l.VMs) != 0 || l.Hidden != 1 {
			t.Fatalf("before: %+v, %v", l, err)
		}
		if _, err := s.Adopt(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.AdoptOptions{SessionName: "no spaces"}); errkind.Of(err) != errkind.Invalid {
			t.Errorf("a bad session name: %v", err)
		}
		i, err := s.Adopt(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.AdoptOptions{SessionName: "work", Owner: "ann"})
		if err != nil || !i.Managed || i.SessionName != "work" || i.Tags["team"] != "web" || i.Tags[azure.TagOwner] != "ann" {
			t.Errorf("got %+v, %v", i, err)
		}
		if l, err := s.List(t.Context(), vm.ListOptions{}); err != nil || len(l.VMs) != 1 || l.Hidden != 0 {
			t.Errorf("after: %+v, %v", l, err)
		}
		// A second time changes nothing.
		requests := c.RequestsByMethod()["PATCH"]
		if i, err := s.Adopt(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.AdoptOptions{SessionName: "other"}); err != nil || i.SessionName != "work" {
			t.Errorf("again: %+v, %v", i, err)
		}
		if n := c.RequestsByMethod()["PATCH"]; n != requests {
			t.Errorf("%d writes for a VM that is azlin's already", n-requests)
		}
		if _, err := s.Adopt(t.Context(), vm.Ref{ResourceGroup: group, Name: "nosuch"}, vm.AdoptOptions{}); errkind.Of(err) != errkind.NotFound || !errors.Is(err, vm.ErrManager) {
			t.Errorf("no such VM: %v", err)
		}
	})
}
