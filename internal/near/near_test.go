package near_test

import (
	"slices"
	"testing"

	"github.com/azlin-dev/azlin/internal/near"
)

func TestNames(t *testing.T) {
	t.Parallel()
	all := []string{"live", "live-2", "dev", "web-01", "web-02", "production", "", "live"}
	for typed, want := range map[string][]string{
		"liv":       {"live", "live-2"},
		"LIVE":      {"live"},
		"vde":       nil,
		"dve":       {"dev"},
		"web-1":     {"web-01"},
		"prodution": {"production"},
		"prod":      {"production"},
		"x":         nil,
		"":          nil,
		"de":        {"dev"},
	} {
		if got := near.Names(typed, all); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
	if got := near.Suggestion("liv", []string{"live"}); got != `; did you mean "live"?` {
		t.Errorf("got %q", got)
	}
	if got := near.Suggestion("quite-different", all); got != "" {
		t.Errorf("got %q", got)
	}
}
