package catalog

import "testing"

func FuzzRegions(f *testing.F) {
	f.Add([]byte(`{"value":[{"name":"westus2","displayName":"West US 2","metadata":{"regionType":"Physical","geography":"United States","latitude":"47.233","longitude":"-119.852"},"availabilityZoneMappings":[{"logicalZone":"1"}]},{"name":"europe","metadata":{"regionType":"Logical"}}]}`))
	f.Add([]byte(`{"value":[{"name":"a","metadata":{"regionType":"Physical","latitude":"NaN","longitude":"1e400"}},{"name":"b","metadata":{"regionType":"physical"}}]}`))
	f.Fuzz(func(t *testing.T, page []byte) {
		all, err := parseRegions(page)
		if err != nil {
			return
		}
		for _, r := range all {
			if len(Nearest(all, r.Name)) >= len(all) {
				t.Errorf("%q is near itself", r.Name)
			}
		}
	})
}
