package catalog_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestSizes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, c := open(t, emulator.Options{Restricted: []string{"Standard_D4s_v5", "Standard_D8s_v5@westus2/2"}})
		dir := filepath.Join(t.TempDir(), "cache")
		s := catalog.New(c, dir)
		z, err := s.Size(t.Context(), region, "standard_d2s_V5")
		if err != nil {
			t.Fatal(err)
		}
		want := catalog.Size{
			Name: "Standard_D2s_v5", Family: "standardDSv5Family", VCPUs: 2, MemoryGiB: 8, Architecture: "x64", Generations: []string{"V1", "V2"},
			TrustedLaunch: true, PremiumDisks: true, Zones: []string{"1", "2", "3"},
		}
		z.DiskControllers, z.MaxDataDisks, z.AcceleratedNetworking, z.EncryptionAtHost, z.Spot = nil, 0, false, false, false
		if diff := cmp.Diff(want, z); diff != "" {
			t.Error(diff)
		}
		for _, tc := range []struct {
			size, zone string
			want       errkind.Kind
		}{
			{"Standard_D2s_v5", "", ""},
			{"Standard_D2s_v5", "3", ""},
			{"Standard_D2s_v5", "9", errkind.Capacity},
			{"Standard_D4s_v5", "", errkind.Capacity},
			{"Standard_D4s_v5", "1", errkind.Capacity},
			{"Standard_D8s_v5", "", ""},
			{"Standard_D8s_v5", "1", ""},
			{"Standard_D8s_v5", "2", errkind.Capacity},
		} {
			z, err := s.Size(t.Context(), region, tc.size)
			if err != nil {
				t.Fatal(err)
			}
			if err := z.Check(tc.zone); errkind.Of(err) != tc.want || (tc.want != "") != (azure.Code(err) == "SkuNotAvailable") {
				t.Errorf("%s in zone %q: %v", tc.size, tc.zone, err)
			}
		}
		if c.Requests() != 1 {
			t.Errorf("%d requests for one region", c.Requests())
		}
		if _, err := s.Size(t.Context(), region, "Standard_Nonsense"); errkind.Of(err) != errkind.Invalid {
			t.Errorf("nonsense: %v", err)
		}

		// Another process finds them on disk, until they are a day old or damaged.
		sizes := func() int {
			before := c.Requests()
			if list, err := catalog.New(c, dir).Sizes(t.Context(), "WestUS2"); err != nil || len(list) < 20 {
				t.Errorf("%d sizes, %v", len(list), err)
			}
			return c.Requests() - before
		}
		if n := sizes(); n != 0 {
			t.Errorf("%d requests with a fresh cache", n)
		}
		time.Sleep(25 * time.Hour) // virtual
		if n := sizes(); n != 1 {
			t.Errorf("%d requests with an old cache", n)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if err := os.WriteFile(files[0], []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if n := sizes(); n != 1 {
			t.Errorf("%d requests with a damaged cache", n)
		}
	})
}

func TestGPUSizeHasNoSecureBoot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, emulator.Options{Quota: map[string]int{"standardNCASv3_T4Family": 100, "Standard NCASv3_T4 Family": 100, "cores": 1000}})
		sizes, err := s.Sizes(t.Context(), region)
		if err != nil {
			t.Fatal(err)
		}
		for _, z := range sizes {
			if z.GPUs == 0 || !z.TrustedLaunch || z.Restriction != "" {
				continue
			}
			d, err := provisioned(t, c, func(cfg *provision.Config) { cfg.Size = z.Name })
			if errkind.Of(err) == errkind.Quota {
				continue
			}
			if err != nil || len(d.Notes) != 1 {
				t.Errorf("%s: %+v, %v", z.Name, d, err)
			}
			return
		}
		t.Skip("the emulator has no GPU size with trusted launch and quota here")
	})
}
