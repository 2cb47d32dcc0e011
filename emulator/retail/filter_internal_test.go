package retail

import (
	"strings"
	"testing"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"serviceName eq 'Virtual Machines' and armRegionName eq 'westus2' and armSkuName eq 'Standard_D4s_v5' and priceType eq 'Consumption'": 6,
		"serviceName eq 'Virtual Machines' and armRegionName eq 'westus2' and armSkuName eq 'standard_d4s_v5'":                                0,
		"serviceName eq 'virtual machines'":                     0,
		"armSkuName eq 'a' and armSkuName eq 'b'":               0,
		"meterName eq 'Standard IPv4 Static Public IP'":         1,
		"armRegionName eq 'eastus' and skuName eq 'P10 LRS'":    2,
		"armRegionName eq 'it''s' and serviceName eq 'Storage'": 0,
	} {
		f, err := parseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		n := 0
		for _, i := range items() {
			if f.matches(i) {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d items, want %d", text, n, want)
		}
	}
	for _, bad := range []string{"x", "a eq 'b", "a eq 'b' or c eq 'd'", "a eq 'b' and ", "(a eq 'b')", "contains(a, 'b')"} {
		if f, err := parseFilter(bad); err == nil {
			t.Errorf("%s: read as %v", bad, f)
		}
	}
	if f, _ := parseFilter("colour eq 'red'"); f.unknown() != "colour" {
		t.Error("an unknown field passes")
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("serviceName eq 'Virtual Machines' and armRegionName eq 'west''us2'")
	f.Add("a eq 'b' and")
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := parseFilter(s)
		if err != nil || len(parsed) == 0 {
			return
		}
		var parts []string
		for field, value := range parsed {
			parts = append(parts, field+" eq '"+strings.ReplaceAll(value, "'", "''")+"'")
		}
		again, err := parseFilter(strings.Join(parts, " and "))
		if err != nil || len(again) != len(parsed) {
			t.Errorf("%q: %v, then %v, %v", s, parsed, again, err)
		}
	})
}
