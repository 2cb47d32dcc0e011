package conformance_test

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/conformance"
)

var (
	seed      = flag.Uint64("mutation-seed", 0, "draws the changes of TestMutations; 0: a new one")
	mutations = flag.Int("mutations", 50, "how many changes TestMutations makes")
)

// seedOf is the seed that was given, or a new one, which is printed so that a failure can be repeated.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	from := *seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("-mutation-seed=%d", from)
	return from
}

// TestMutations changes the emulator's answers, one place at a time: each change must turn a case red.
func TestMutations(t *testing.T) {
	t.Parallel()
	cases := load(t)
	from := seedOf(t)
	rng := rand.New(rand.NewPCG(from, 1))
	try := func(t *testing.T, m *conformance.Mutation) (*conformance.Mutator, []conformance.Failure) {
		var mutator *conformance.Mutator
		var failures []conformance.Failure
		synctest.Test(t, func(t *testing.T) {
			target := onEmulator(t, emulator.Options{Realistic: true}, func(rt http.RoundTripper) http.RoundTripper {
				mutator = &conformance.Mutator{Next: rt, Mutation: m}
				return mutator
			})
			var err error
			if failures, err = conformance.Run(t.Context(), target, cases); err != nil {
				t.Fatal(err)
			}
		})
		return mutator, failures
	}
	plain, failures := try(t, nil)
	if len(failures) > 0 {
		t.Fatalf("the emulator fails as it is: %s", failures[0])
	}
	kinds := map[string]int{}
	for range *mutations {
		m := conformance.Mutate(rng, plain.Seen)
		kinds[m.Kind]++
		if _, failures := try(t, &m); len(failures) == 0 {
			t.Errorf("no case notices %s", m)
		}
	}
	t.Logf("%d answers; changes: %v", len(plain.Seen), kinds)
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shape, got any
		strict     bool
		want       int
	}{
		"equal":           {map[string]any{"a": "<guid>", "c": []any{"x"}}, map[string]any{"a": "01234567-89ab-cdef-0123-456789abcdef", "c": []any{"x"}}, true, 0},
		"optional":        {map[string]any{"b?": 1}, map[string]any{}, true, 1},
		"absent in Azure": {map[string]any{"b?": 1}, map[string]any{}, false, 0},
		"missing":         {map[string]any{"a": "x"}, map[string]any{}, true, 1},
		"more":            {map[string]any{"a": "x"}, map[string]any{"a": "x", "b": 1}, true, 1},
		"more, in Azure":  {map[string]any{"a": "x"}, map[string]any{"a": "x", "b": 1}, false, 0},
		"more is allowed": {map[string]any{"a": "x", "...": nil}, map[string]any{"a": "x", "b": 1}, true, 0},
		"each":            {map[string]any{"each": "re:[ab]"}, []any{"a", "b", "c"}, true, 1},
		"each of none":    {map[string]any{"each": "re:[ab]"}, []any{}, true, 1},
		"has":             {map[string]any{"has": "b"}, []any{"a", "b"}, true, 0},
		"has not":         {map[string]any{"has": "x"}, []any{"a", "b"}, true, 1},
		"number":          {"<number>", json.Number("1.5e-3"), true, 0},
		"no number":       {"<number>", "1.5", true, 1},
		"literal dots":    {"a.c", "abc", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := conformance.Match(c.shape, c.got, c.strict); len(got) != c.want {
				t.Errorf("%q", got)
			}
		})
	}
}
