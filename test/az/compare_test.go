package az_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/azlin-dev/azlin/test/az"
)

// TestTypeOfExtension: an extension has two types, and az shows both.
func TestTypeOfExtension(t *testing.T) {
	t.Parallel()
	stored := map[string]any{"type": "Microsoft.Compute/extensions", "properties": map[string]any{"type": "VMAccess"}}
	names := map[string]string{"typePropertiesType": "properties.type"}
	for range 50 { // members come in any order
		if got := az.Differences(map[string]any{"type": "Microsoft.Compute/extensions", "typePropertiesType": "VMAccess"}, stored, names); len(got) > 0 {
			t.Fatal(got)
		}
		want := []string{"properties.type: az shows Other, Azure has VMAccess"}
		if got := az.Differences(map[string]any{"type": "Microsoft.Compute/extensions", "typePropertiesType": "Other"}, stored, names); !slices.Equal(got, want) {
			t.Fatalf("%q, not %q", got, want)
		}
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	const stored = `{"id":"/subscriptions/s/resourceGroups/G/x","properties":{"size":4,"list":[{"name":"a","properties":{"on":true}}],"at":"2026-11-22T22:54:11.8382930+00:00"},"tags":{"a":"b"}}`
	for name, c := range map[string]struct {
		printed string
		want    []string
	}{
		"the same":       {`{"id":"/subscriptions/S/resourceGroups/g/x","resourceGroup":"g","dimension":4,"list":[{"name":"a","on":true}],"at":"2026-11-22T22:54:11.838293+00:00","tags":{"a":"b"},"none":null,"empty":{"x":null}}`, nil},
		"a value":        {`{"id":"/subscriptions/s/resourceGroups/G/x","dimension":5,"list":[{"name":"a","on":true}],"at":"2026-11-22T22:54:11.838293Z","tags":{"a":"b"}}`, []string{"size: az shows 5, Azure has 4"}},
		"deep down":      {`{"id":"/subscriptions/s/resourceGroups/G/x","dimension":4,"list":[{"name":"a","on":false}],"at":"2026-11-22T22:54:11.838293Z","tags":{"a":"b"}}`, []string{"list[0].on: az shows false, Azure has true"}},
		"missing, extra": {`{"id":"/subscriptions/s/resourceGroups/G/x","dimension":4,"list":[{"name":"a","on":true}],"at":"2026-11-22T22:54:11.838293Z","color":"red"}`, []string{"color: az shows red, Azure has nothing", "tags: az does not show it; Azure has map[a:b]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p, s any
			if err := json.Unmarshal([]byte(c.printed), &p); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(stored), &s); err != nil {
				t.Fatal(err)
			}
			if got := az.Differences(p, s, map[string]string{"dimension": "size"}); !slices.Equal(got, c.want) {
				t.Errorf("%q, not %q", got, c.want)
			}
		})
	}
}
