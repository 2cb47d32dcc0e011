package vm_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
)

// TestTags changes tags of a VM and of something else, with the right to tags and without.
func TestTags(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]func(*http.Request) bool{
		"with the right": func(*http.Request) bool { return false },
		"without the right to write tags": func(r *http.Request) bool {
			return r.Method != http.MethodGet && strings.Contains(r.URL.Path, "Microsoft.Resources/tags")
		},
		"without any right to tags": func(r *http.Request) bool { return strings.Contains(r.URL.Path, "Microsoft.Resources/tags") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := lab.New(t, emulator.Options{})
				fill(t, l, 1)
				s, _ := l.Open(func(o *azure.Options) {
					o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, Afterwards: func(r *http.Request, resp *http.Response) error {
						if refused(r) {
							return local.Forbid(resp)
						}
						return nil
					}}}
				})
				changeTags(t, s)
			})
		})
	}
}

func changeTags(t *testing.T, s *lab.Services) {
	t.Helper()
	i, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"})
	if err != nil {
		t.Fatal(err)
	}
	before := len(i.Tags)
	all, err := s.AddTags(t.Context(), i.ID, map[string]string{"Team": "web", "empty": ""})
	if err != nil || all["Team"] != "web" || len(all) != before+2 {
		t.Fatalf("%v, %v", all, err)
	}
	// The same name in another case is the same tag.
	if all, err = s.AddTags(t.Context(), i.ID, map[string]string{"team": "db"}); err != nil || len(all) != before+2 {
		t.Fatalf("%v, %v", all, err)
	}
	have, err := s.Tags(t.Context(), i.ID)
	if team, _ := azure.Tag(have, "TEAM"); err != nil || team != "db" || len(have) != before+2 {
		t.Fatalf("%v, %v", have, err)
	}
	gone, err := s.RemoveTags(t.Context(), i.ID, "TEAM", "nosuch")
	if diff := cmp.Diff(map[string]string{"TEAM": "db"}, gone); err != nil || diff != "" {
		t.Fatalf("%s %v", diff, err)
	}
	if gone, err = s.RemoveTags(t.Context(), i.ID, "nosuch"); err != nil || len(gone) != 0 {
		t.Errorf("%v, %v", gone, err)
	}
	if i, err = s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"}); err != nil || len(i.Tags) != before+1 || !i.Managed {
		t.Errorf("%v, %v", i.Tags, err)
	}
}

// TestTagsRefusedBeforeSending counts writes: what Azure or azlin could not do with is not sent.
func TestTagsRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		fill(t, l, 1)
		writes := 0
		s, _ := l.Open(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, See: func(r *http.Request) error {
				if r.Method == http.MethodPatch || r.Method == http.MethodPut {
					writes++
				}
				return nil
			}}}
		})
		i, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"})
		if err != nil {
			t.Fatal(err)
		}
		full := map[string]string{} // fits alone, but not beside what is there
		for n := range azure.MaxTags {
			full[fmt.Sprintf("tag%d", n)] = "x"
		}
		for name, tags := range map[string]map[string]string{
			"slash": {"a/b": ""}, "angle": {"a<b": ""}, "percent": {"50%": ""}, "question": {"why?": ""}, "and": {"a&b": ""}, "backslash": {`a\b`: ""},
			"no name": {"": "x"}, "long name": {strings.Repeat("n", 513): ""}, "long value": {"a": strings.Repeat("v", 257)},
			"too many": full, "azlin's": {"Azlin-Owner": "eve"}, "the sign": {"managed-by": "eve"}, "Azure's": {"microsoft.x": ""},
		} {
			if _, err := s.AddTags(t.Context(), i.ID, tags); errkind.Of(err) != errkind.Invalid || !errors.Is(err, vm.ErrTags) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := s.RemoveTags(t.Context(), i.ID, "managed-by"); errkind.Of(err) != errkind.Invalid {
			t.Errorf("remove: %v", err)
		}
		for _, id := range []string{"", "vm-000", "/subscriptions"} {
			if _, err := s.Tags(t.Context(), id); errkind.Of(err) != errkind.Invalid {
				t.Errorf("%q: %v", id, err)
			}
		}
		if _, err := s.AddTags(t.Context(), i.ID+"x", map[string]string{"a": "b"}); errkind.Of(err) != errkind.NotFound || !errors.Is(err, vm.ErrTags) {
			t.Errorf("absent: %v", err)
		}
		if writes != 0 {
			t.Errorf("%d writes", writes)
		}
	})
}
