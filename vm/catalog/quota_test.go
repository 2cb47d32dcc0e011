package catalog_test

import (
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestQuotas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, emulator.Options{Quota: map[string]int{"cores": 10}})
		find := func(name string) catalog.Quota {
			t.Helper()
			all, err := s.Quotas(t.Context(), region)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range all {
				if q.Name == name {
					return q
				}
			}
			t.Fatalf("no quota %s in %+v", name, all)
			return catalog.Quota{}
		}
		if q := find(catalog.QuotaCores); q.Limit != 10 || q.Current != 0 || q.Left() != 10 || q.Label == "" {
			t.Errorf("got %+v", q)
		}
		if n := c.Requests(); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
		if _, err := provisioned(t, c, func(*provision.Config) {}); err != nil {
			t.Fatal(err)
		}
		if q := find(catalog.QuotaCores); q.Current != 2 || q.Left() != 8 {
			t.Errorf("with a VM of two cores: %+v", q)
		}
		if q := find("standardDSv5Family"); q.Current != 2 {
			t.Errorf("its family: %+v", q)
		}
		if q := find(catalog.QuotaPublicIPs); q.Current != 1 {
			t.Errorf("addresses: %+v", q)
		}
		if _, err := s.Quotas(t.Context(), "atlantis"); errkind.Of(err) == errkind.Unknown || err == nil {
			t.Errorf("a region that is not there: %v", err)
		}
		if left := (catalog.Quota{Current: 5, Limit: 3}).Left(); left != 0 {
			t.Errorf("left %d of less than nothing", left)
		}
	})
}
