package catalog_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestImages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, emulator.Options{})
		got, err := s.UbuntuImages(t.Context(), region)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i].Version == "" {
				t.Errorf("no version: %+v", got[i])
			}
			got[i].Version = ""
		}
		want := []catalog.Image{
			{Name: "Canonical:ubuntu-24_04-lts:server", Architecture: "x64", Generation: "V2", TrustedLaunch: true},
			{Name: "Canonical:ubuntu-24_04-lts:server-arm64", Architecture: "Arm64", Generation: "V2"},
			{Name: "Canonical:ubuntu-24_04-lts:server-gen1", Architecture: "x64", Generation: "V1"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}

		// Down the tree to a name that a VM can be made from.
		under := "Debian"
		for _, next := range []string{"Debian:debian-12", "Debian:debian-12:12-gen2"} {
			names, err := s.ImageNames(t.Context(), region, under)
			if err != nil || !slices.Contains(names, next) {
				t.Fatalf("under %s: %v, %v", under, names, err)
			}
			under = next
		}
		versions, err := s.ImageNames(t.Context(), region, under)
		if err != nil || len(versions) != 2 || versions[0] < versions[1] {
			t.Fatalf("versions %v, %v", versions, err)
		}
		if _, err := provisioned(t, c, func(cfg *provision.Config) { cfg.Image = versions[1] }); err != nil {
			t.Error(err)
		}

		for under, kind := range map[string]errkind.Kind{
			"Nobody": errkind.NotFound, "Debian:nothing": errkind.NotFound, "": errkind.Invalid, "a:b:c:d": errkind.Invalid, "a/b": errkind.Invalid, "a::b": errkind.Invalid,
		} {
			if names, err := s.ImageNames(t.Context(), region, under); errkind.Of(err) != kind {
				t.Errorf("under %q: %v, %v", under, names, err)
			}
		}
		if _, err := s.UbuntuImages(t.Context(), "atlantis"); err == nil {
			t.Error("atlantis has images")
		}
	})
}
