package provision_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// TestModel makes a VM and reads what it was made of.
func TestModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, _ := l.Open()
		made := config("dev")
		made.OSDiskSizeGB, made.DataDisks, made.Identity, made.Zone = 64, []provision.DataDisk{{SizeGB: 8}, {SizeGB: 16}}, "system", "2"
		made.Tags = map[string]string{"team": "web"}
		if _, err := s.Provision(t.Context(), made, nil); err != nil {
			t.Fatal(err)
		}
		got, err := s.Model(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
		if err != nil {
			t.Fatal(err)
		}
		for n := range got.DataDisks {
			got.DataDisks[n].Type = ""
		}
		got.OSDiskType = ""
		want := provision.Config{
			ResourceGroup: group, Region: region, Size: made.Size, Zone: "2", AdminUsername: "azureuser", OSDiskSizeGB: 64,
			DataDisks: made.DataDisks, Identity: "system", Tags: made.Tags,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Model(t.Context(), vm.Ref{ResourceGroup: group, Name: "absent"}); errkind.Of(err) != errkind.NotFound || !errors.Is(err, vm.ErrManager) {
			t.Errorf("absent: %v", err)
		}
	})
}
