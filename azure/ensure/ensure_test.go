package ensure_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/ensure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
)

// TestEnsure: what is found under the name decides what is done.
func TestEnsure(t *testing.T) {
	t.Parallel()
	ours := azure.SDKTags(map[string]string{azure.TagManagedBy: azure.ManagedBy})
	found := func(state string) *ensure.Existing {
		return &ensure.Existing{ID: "found", Location: "West US 2", Tags: ours, State: state}
	}
	for name, tc := range map[string]struct {
		there *ensure.Existing
		ends  string // the state that it has from ten seconds on
		judge error
		did   []string
		left  []string
		made  bool
		kind  errkind.Kind
		says  string
	}{
		"nothing":                   {did: []string{"create"}, left: []string{"made"}, made: true},
		"one of an earlier run":     {there: found("Succeeded"), left: []string{"found"}},
		"one without a state":       {there: found(""), left: []string{"found"}},
		"one that is being made":    {there: found("Creating"), ends: "Succeeded", left: []string{"found"}},
		"one that fails meanwhile":  {there: found("Creating"), ends: "Failed", did: []string{"delete", "create"}, left: []string{"found", "made"}, made: true},
		"one that Azure gave up":    {there: found("Failed"), did: []string{"delete", "create"}, left: []string{"found", "made"}, made: true},
		"somebody else's":           {there: &ensure.Existing{ID: "theirs", Location: "westus2"}, kind: errkind.Conflict, says: "use thing x: it exists and is not azlin's: choose another name"},
		"in another region":         {there: &ensure.Existing{ID: "far", Location: "eastus", Tags: ours}, kind: errkind.Conflict, says: "left over from a VM in eastus"},
		"one that another one uses": {there: found("Succeeded"), judge: errkind.New(errkind.Conflict, "a VM uses it"), kind: errkind.Conflict, says: "a VM uses it"},
		"one that is never done":    {there: found("Updating"), kind: errkind.Provisioning, says: "updating"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := local.New(t, emulator.Options{}).Client()
				began := time.Now()
				var did, left []string
				_, made, err := ensure.Ensure(t.Context(), c, ensure.Resource[ensure.Existing]{
					Kind: "thing", Name: "x", ID: "made", Region: "westus2", Advice: "choose another name",
					Get: func(context.Context) (ensure.Existing, error) {
						if tc.there == nil {
							return ensure.Existing{}, errkind.New(errkind.NotFound, "nothing there")
						}
						e := *tc.there
						if tc.ends != "" && time.Since(began) > 10*time.Second {
							e.State = tc.ends
						}
						return e, nil
					},
					Read:  func(e *ensure.Existing) ensure.Existing { return *e },
					Judge: func(*ensure.Existing) error { return tc.judge },
					Create: func(context.Context) (ensure.Existing, error) {
						did = append(did, "create")
						return ensure.Existing{}, nil
					},
					Delete: func(context.Context) error { did = append(did, "delete"); return nil },
					Left:   func(id string) { left = append(left, id) },
				})
				if errkind.Of(err) != tc.kind || err != nil && !strings.Contains(err.Error(), tc.says) || made != tc.made {
					t.Errorf("made %v, %v", made, err)
				}
				if !slices.Equal(did, tc.did) || !slices.Equal(left, tc.left) {
					t.Errorf("did %v, left %v", did, left)
				}
			})
		})
	}
}
