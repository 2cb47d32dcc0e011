package provision_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// refusing fails the PUT of one kind of resource.
type refusing struct {
	next http.RoundTripper
	kind string
}

func (r refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPut && strings.Contains(req.URL.Path, r.kind) {
		return nil, errors.New("cut")
	}
	return r.next.RoundTrip(req)
}

// TestUnfinished finds what is not finished by its tags alone: a create that was cut off before its VM, one that
// was cut off after it, and what a deleted VM has left; not what is finished, and not what VMs share.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		service, door := l.Open()
		create := func(s *lab.Services, name string) (provision.Details, error) {
			return s.Provision(t.Context(), config(name), nil)
		}
		finished, err := create(service, "finished")
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Finish(t.Context(), finished.ID, finished.OperationID); err != nil {
			t.Fatal(err)
		}
		cut, _ := l.Open(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: refusing{l.Emulator.Client().Transport, "/virtualMachines/"}}
			o.Retry.MaxRetries = -1
		})
		if _, err := create(cut, "early"); err == nil {
			t.Fatal("the VM was not to be created")
		}
		late, err := create(service, "late")
		if err != nil {
			t.Fatal(err)
		}
		all, err := service.Unfinished(t.Context(), "")
		if err != nil || len(all) != 2 {
			t.Fatalf("got %+v, %v", all, err)
		}
		early := all[0]
		if early.VM != "early" || early.HasVM || len(early.Resources) != 3 || !strings.EqualFold(early.ResourceGroup, group) ||
			early.Region != region || early.Created == nil || early.Owner != "ann" {
			t.Errorf("early: %+v", early)
		}
		if u := all[1]; u.VM != "late" || !u.HasVM || u.ID != late.OperationID {
			t.Errorf("late: %+v", u)
		}
		if some, err := service.Unfinished(t.Context(), group); err != nil || len(some) != 2 {
			t.Errorf("in the group: %+v, %v", some, err)
		}
		// Deleting the VM alone leaves its network interface's group and address to be seen.
		before := door.Requests()
		if _, err := service.Unfinished(t.Context(), ""); err != nil || door.Requests() != before+1 {
			t.Errorf("%d requests, %v", door.Requests()-before, err)
		}
		for _, name := range []string{"early", "late"} {
			if _, err := service.Delete(context.Background(), vm.Ref{ResourceGroup: group, Name: name}, vm.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if left, err := service.Unfinished(t.Context(), ""); err != nil || len(left) != 0 {
			t.Errorf("after deleting: %+v, %v", left, err)
		}
	})
}
