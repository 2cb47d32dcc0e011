package teardown_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/errkind"
)

// world is resources that exist until they are deleted.
type world struct {
	mu      sync.Mutex
	deleted []string // in this order, refusals included
	there   map[string]bool
}

// item is one resource; refuse is what Azure says to its deletion, the first time that many, "" accepts it.
func (w *world) item(name string, rank int, refuse ...error) teardown.Item {
	if w.there == nil {
		w.there = map[string]bool{}
	}
	w.there[name] = true
	return teardown.Item{
		Kind: "thing", ID: azure.NewID("s", "g", "Microsoft.Compute", "disks", name), Rank: rank,
		Delete: func(context.Context) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.deleted = append(w.deleted, name)
			if len(refuse) > 0 {
				err := refuse[0]
				refuse = refuse[1:]
				return err
			}
			w.there[name] = false
			return nil
		},
		Exists: func(context.Context) (bool, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.there[name], nil
		},
	}
}

func failures(results []teardown.Result) (names []string) {
	for _, r := range results {
		if r.Err != nil {
			names = append(names, r.ResourceName)
		}
	}
	return names
}

// TestOrder: lower ranks go first whatever the order of the items, and what is refused because another one has not let go
// of it yet is tried again.
func TestOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		inUse := errkind.New(errkind.Conflict, "it is in use")
		results := teardown.Run(t.Context(), nil, []teardown.Item{w.item("c", 2, inUse), w.item("a", 0), w.item("b", 1)}, nil)
		if got := failures(results); got != nil || !slices.Equal(w.deleted, []string{"a", "b", "c", "c"}) {
			t.Errorf("failed %v, deleted %v", got, w.deleted)
		}
		if results[0].ResourceName != "c" || !results[0].Success {
			t.Errorf("the results are not in the order of the items: %+v", results)
		}
	})
}

// TestWhatIsLeft: the failures say what is left, and why.
func TestWhatIsLeft(t *testing.T) {
	t.Parallel()
	forbidden := errkind.New(errkind.Permission, "not allowed")
	for name, tc := range map[string]struct {
		items  func(w *world) []teardown.Item
		left   []string
		says   string // of the first failure
		called int    // deletions that were asked for
	}{
		"one that blocks the others": {
			items: func(w *world) []teardown.Item {
				machine := w.item("machine", 0, forbidden)
				machine.Blocks = true
				return []teardown.Item{w.item("disk", 1), machine, w.item("beside", 0)}
			},
			left: []string{"disk", "machine"}, says: "not tried, because the thing could not be deleted", called: 2,
		},
		"one that does not": {
			items: func(w *world) []teardown.Item { return []teardown.Item{w.item("a", 0, forbidden), w.item("b", 1)} },
			left:  []string{"a"}, says: "not allowed", called: 2,
		},
		"one that somebody needs": {
			items: func(w *world) []teardown.Item {
				a := w.item("a", 0)
				a.Blocks = true
				a.Needed = func(context.Context) (string, error) { return "a VM uses it", nil }
				return []teardown.Item{a, w.item("b", 1)}
			},
			left: []string{"a"}, says: "a VM uses it", called: 1,
		},
		"one that stays although Azure took it": {
			items: func(w *world) []teardown.Item {
				return []teardown.Item{w.item("a", 0, nil, nil, nil, nil, nil, nil)}
			},
			left: []string{"a"}, says: "still there", called: 5,
		},
		"one that is gone already": {
			items: func(w *world) []teardown.Item {
				a := w.item("a", 0, errkind.New(errkind.NotFound, "nothing there"))
				w.there["a"] = false
				return []teardown.Item{a}
			},
			called: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var w world
				results := teardown.Run(t.Context(), nil, tc.items(&w), nil)
				if got := failures(results); !slices.Equal(got, tc.left) || len(w.deleted) != tc.called {
					t.Errorf("left %v, want %v; asked for %v", got, tc.left, w.deleted)
				}
				if len(tc.left) > 0 && !strings.Contains(results[slices.IndexFunc(results, func(r teardown.Result) bool { return r.Err != nil })].ErrorMessage, tc.says) {
					t.Errorf("want %q in %+v", tc.says, results)
				}
				if needed := name == "one that somebody needs"; needed != errors.Is(results[0].Err, teardown.ErrNeeded) {
					t.Errorf("%v", results[0].Err)
				}
			})
		})
	}
}

// TestPlan decides about each resource once.
func TestPlan(t *testing.T) {
	t.Parallel()
	a, b := azure.NewID("s", "g", "Microsoft.Compute", "disks", "a"), azure.NewID("s", "g", "Microsoft.Compute", "disks", "b")
	p := teardown.Plan{VM: "dev"}
	p.Keep("disk", a, "shared")
	p.Add(teardown.Item{ID: a})
	p.Add(teardown.Item{ID: b})
	p.Keep("disk", b, "too late")
	if len(p.Items) != 1 || p.Items[0].VM != "dev" || len(p.Kept) != 1 || !p.Has(b.String()) || p.Has(a.String()) || !p.Seen(a) {
		t.Errorf("%+v", p)
	}
}
