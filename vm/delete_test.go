package vm_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/test/wire"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

func planned(sum vm.DeletionSummary) []string {
	var out []string
	for _, r := range sum.Results {
		out = append(out, r.ResourceType+" "+r.ResourceName)
	}
	return out
}

func TestDelete(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, _ := l.Open()
		cfg := config("dev")
		cfg.DataDisks = []provision.DataDisk{{SizeGB: 32}}
		if _, err := s.Provision(t.Context(), cfg, nil); err != nil {
			t.Fatal(err)
		}
		foreign(t, l, "neighbour")
		all := l.Resources()

		dry, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{DryRun: true})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"vm dev", "nic dev-nic", "public-ip dev-ip", "nsg dev-nsg", "disk dev-os", "disk dev-data-0"}
		if diff := cmp.Diff(want, planned(dry)); diff != "" {
			t.Error(diff)
		}
		if dry.TotalResources != 6 || dry.DeletedResources != 0 || !dry.DryRun {
			t.Errorf("%+v", dry)
		}
		if diff := cmp.Diff(all, l.Resources()); diff != "" {
			t.Errorf("the dry run changed something: %s", diff)
		}

		var rec wire.Collected[audit.Record]
		s, _ = l.Open(func(o *azure.Options) { o.Audit = rec.Record })
		sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
		if err != nil || sum.Err() != nil {
			t.Fatal(err, sum.Err())
		}
		if diff := cmp.Diff(want, planned(sum)); diff != "" || sum.DeletedResources != 6 || sum.FailedResources != 0 {
			t.Errorf("%+v: %s", sum, diff)
		}
		if len(sum.Kept) != 1 || sum.Kept[0].ResourceType != "vnet" || sum.Kept[0].ResourceName != "azlin-vnet-westus2" {
			t.Errorf("kept: %+v", sum.Kept)
		}
		if got := l.Resources()["Microsoft.Compute/virtualMachines"]; got != 1 {
			t.Errorf("%d VMs are left, want the neighbour", got)
		}
		deletes := 0
		for _, r := range rec.List() {
			if r.Event == audit.Delete && r.Status == audit.Started {
				deletes++
			}
		}
		if deletes != 6 {
			t.Errorf("%d deletions on record", deletes)
		}

		again, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
		if err != nil || again.TotalResources != 0 || again.Err() != nil {
			t.Errorf("deleting what is gone: %+v, %v", again, err)
		}
		if none, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: "nowhere", Name: "dev"}, vm.DeleteOptions{}); err != nil || none.TotalResources != 0 {
			t.Errorf("deleting in an absent group: %+v, %v", none, err)
		}
	})
}

// TestDeleteSparesOthers: a resource under one of our names, or beside the VM, that is not azlin's stays.
func TestDeleteSparesOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, c := l.Open()
		d, err := s.Provision(t.Context(), config("dev"), nil)
		if err != nil {
			t.Fatal(err)
		}
		nsg := strings.Replace(d.ID, "Microsoft.Compute/virtualMachines/dev", "Microsoft.Network/networkSecurityGroups/dev-nsg", 1)
		if err := c.DeleteTags(t.Context(), nsg, azure.TagManagedBy); err != nil {
			t.Fatal(err)
		}
		sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
		if err != nil || sum.Err() != nil {
			t.Fatal(err, sum.Err())
		}
		if n := l.Resources()["Microsoft.Network/networkSecurityGroups"]; n != 1 {
			t.Errorf("%d security groups are left", n)
		}
		found := false
		for _, k := range sum.Kept {
			found = found || k.ResourceType == "nsg" && k.Reason == "not made by azlin"
		}
		if !found {
			t.Errorf("kept: %+v", sum.Kept)
		}
		// And a create does not take it over.
		if _, err := s.Provision(t.Context(), config("dev"), nil); errkind.Of(err) != errkind.Conflict {
			t.Errorf("took over a foreign security group: %v", err)
		}
	})
}

func TestDeleteLocked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, c := l.Open()
		d, err := s.Provision(t.Context(), config("dev"), nil)
		if err != nil {
			t.Fatal(err)
		}
		lock := d.ID + "/providers/Microsoft.Authorization/locks/keep-it"
		body := map[string]any{"properties": map[string]string{"level": "CanNotDelete"}}
		if _, err := c.Do(t.Context(), http.MethodPut, lock, "2016-09-01", body); err != nil {
			t.Fatal(err)
		}
		sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
		if err == nil {
			t.Fatal("nothing of it could be deleted, and that is no error")
		}
		if errkind.Of(sum.Err()) != errkind.Conflict && errkind.Of(sum.Err()) != errkind.Partial || !strings.Contains(sum.Err().Error(), "keep-it") ||
			!errors.Is(sum.Err(), vm.ErrLifecycle) {
			t.Errorf("%+v: %v", sum, sum.Err())
		}
		if sum.FailedResources != sum.TotalResources || l.Resources()["Microsoft.Compute/virtualMachines"] != 1 {
			t.Errorf("%+v", sum)
		}
		if n := l.Emulator.Counts().Requests["DELETE"]; n != 1 {
			t.Errorf("%d attempts, when the first one told that the VM is locked", n)
		}
		if _, err := c.Do(t.Context(), http.MethodDelete, lock, "2016-09-01", nil); err != nil {
			t.Fatal(err)
		}
		if sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{}); err != nil || sum.Err() != nil {
			t.Errorf("without the lock: %v, %v", err, sum.Err())
		}
		l.OnlyShared(t)
	})
}

// TestDeletePartly: one resource refuses for good; the rest goes, and the summary says so.
func TestDeletePartly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		fill(t, l, 1)
		s, _ := l.Open(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, See: func(r *http.Request) error {
				if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/vm-000-nsg") {
					return local.Final{Cause: errors.New("no way")}
				}
				return nil
			}}}
		})
		sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"}, vm.DeleteOptions{})
		if errkind.Of(err) != errkind.Partial || sum.FailedResources != 1 || sum.DeletedResources != 4 || errkind.Of(sum.Err()) != errkind.Partial {
			t.Errorf("%+v, %v: %v", sum, err, sum.Err())
		}
		for _, r := range sum.Results {
			if (r.ResourceType == "nsg") == r.Success || r.Success == (r.ErrorMessage != "") {
				t.Errorf("result: %+v", r)
			}
		}
		e, _ := errors.AsType[*errkind.Error](sum.Err())
		if len(e.LeftOver) != 1 || !strings.HasSuffix(e.LeftOver[0], "/vm-000-nsg") {
			t.Errorf("left over: %v", e.LeftOver)
		}
	})
}

func TestDeleteGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		foreign(t, l, "theirs")
		s, _ := l.Open()
		dry, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: ""}, vm.DeleteOptions{ResourceGroup: true, DryRun: true})
		if err != nil || dry.TotalResources != 0 || len(dry.Kept) == 0 {
			t.Errorf("dry run: %+v, %v", dry, err)
		}
		sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "theirs"}, vm.DeleteOptions{ResourceGroup: true})
		if errkind.Of(err) != errkind.Conflict || !strings.Contains(err.Error(), "virtualMachines/theirs") {
			t.Errorf("%+v, %v", sum.Err(), err)
		}
		if _, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "theirs"}, vm.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		fill(t, l, 2)
		sum, err = s.DeleteAll(t.Context(), group, vm.DeleteOptions{ResourceGroup: true})
		if err != nil || sum.Err() != nil || sum.DeletedResources != 1 {
			t.Errorf("%+v, %v, %v", sum, err, sum.Err())
		}
		if left := l.Resources(); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
		if sum, err := s.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "x"}, vm.DeleteOptions{ResourceGroup: true}); err != nil || sum.TotalResources != 0 {
			t.Errorf("an absent group: %+v, %v", sum, err)
		}
		if sum, err := s.DeleteAll(t.Context(), group, vm.DeleteOptions{}); err != nil || sum.TotalResources != 0 {
			t.Errorf("all VMs of an absent group: %+v, %v", sum, err)
		}
	})
}

func TestResourceGroups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		_, c := l.Open()
		groups := resourcegroup.New(c)
		if ok, err := groups.Exists(t.Context(), "a"); err != nil || ok {
			t.Errorf("exists: %v, %v", ok, err)
		}
		for i := range 2 {
			g, created, err := groups.Ensure(t.Context(), "a", region, map[string]string{"team": "x"})
			if err != nil || created != (i == 0) || !g.Managed || g.Tags["team"] != "x" || g.Location != region {
				t.Errorf("ensure %d: %+v, %v, %v", i, g, created, err)
			}
		}
		if list, err := groups.List(t.Context()); err != nil || len(list) != 1 || list[0].Name != "a" {
			t.Errorf("list: %+v, %v", list, err)
		}
		if err := groups.Delete(t.Context(), "a", nil); err != nil {
			t.Error(err)
		}
		if ok, err := groups.Exists(t.Context(), "a"); err != nil || ok {
			t.Errorf("after delete: %v, %v", ok, err)
		}
		if err := groups.Delete(t.Context(), "a", nil); err != nil {
			t.Errorf("deleting what is gone: %v", err)
		}
		f := resourcegroup.Failure{Group: "a", Err: errkind.New(errkind.Conflict, "busy")}
		if f.Error() != "a: busy" || errkind.Of(f) != errkind.Conflict {
			t.Errorf("failure: %v", f)
		}
	})
}
