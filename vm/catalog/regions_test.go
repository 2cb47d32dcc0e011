package catalog_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/vm/catalog"
)

func TestRegions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, emulator.Options{})
		all, err := s.Regions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c.Requests() != 1 {
			t.Errorf("%d requests", c.Requests())
		}
		names := func(l []catalog.Region) (n []string) {
			for _, r := range l {
				n = append(n, r.Name)
			}
			return n
		}
		if !slices.IsSorted(names(all)) {
			t.Errorf("not sorted: %v", names(all))
		}
		at := slices.Index(names(all), "westus2")
		if at < 0 || all[at].Label != "West US 2" || !slices.Equal(all[at].Zones, []string{"1", "2", "3"}) || all[at].Geography == "" {
			t.Errorf("got %+v", all)
		}
		near := names(catalog.Nearest(all, "WestUS2"))
		if near[0] != "westus" || slices.Contains(near, "westus2") || len(near) != len(all)-1 {
			t.Errorf("near westus2: %v", near)
		}
		if near := names(catalog.Nearest(all, "francecentral")); near[0] != "westeurope" && near[0] != "uksouth" && near[0] != "switzerlandnorth" {
			t.Errorf("near francecentral: %v", near)
		}
		if near := names(catalog.Nearest(all, "atlantis")); !slices.Equal(near, names(all)) {
			t.Errorf("near nowhere: %v", near)
		}
	})
}
