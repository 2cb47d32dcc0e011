package vm_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
)

func TestSetSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, client := l.Open()
		for _, name := range []string{"one", "two"} {
			if _, err := s.Provision(t.Context(), config(name), nil); err != nil {
				t.Fatal(err)
			}
		}
		i, err := s.SetSession(t.Context(), vm.Ref{Name: "one", ResourceGroup: group}, "work_1")
		if err != nil || i.SessionName != "work_1" || i.Name != "one" {
			t.Fatalf("%+v, %v", i, err)
		}
		match, err := s.Resolve(t.Context(), "work_1", group)
		if err != nil || match.VM.Name != "one" || !match.VM.Managed || match.VM.HostKey() == "" {
			t.Errorf("its other tags are not there: %+v, %v", match.VM.Tags, err)
		}
		if _, err := s.SetSession(t.Context(), match.VM.Ref, "again"); err != nil {
			t.Error(err)
		}
		for session, kind := range map[string]errkind.Kind{
			"two": errkind.Conflict, "TWO": errkind.Conflict, "a b": errkind.Invalid, strings.Repeat("x", 65): errkind.Invalid,
		} {
			if _, err := s.SetSession(t.Context(), vm.Ref{Name: "one", ResourceGroup: group}, session); errkind.Of(err) != kind || !errors.Is(err, vm.ErrManager) {
				t.Errorf("%q: %v", session, err)
			}
		}
		if _, err := s.SetSession(t.Context(), vm.Ref{Name: "nosuch", ResourceGroup: group}, "x"); errkind.Of(err) != errkind.NotFound {
			t.Errorf("an absent VM: %v", err)
		}
		if i, err := s.SetSession(t.Context(), vm.Ref{Name: "one", ResourceGroup: group}, ""); err != nil || i.SessionName != "" {
			t.Errorf("cleared: %+v, %v", i, err)
		}
		tags, err := client.ResourceTags(t.Context(), i.ID)
		if _, still := azure.Tag(tags, azure.TagSession); err != nil || still {
			t.Errorf("the tag is still there: %v, %v", tags, err)
		}
	})
}

// TestSetSessionWithoutTheRightToWriteTags is done on the VM itself, and leaves what others wrote meanwhile.
func TestSetSessionWithoutTheRightToWriteTags(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, _ := l.Open()
		if _, err := s.Provision(t.Context(), config("one"), nil); err != nil {
			t.Fatal(err)
		}
		refused := 0
		poor, _ := l.Open(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, Afterwards: func(r *http.Request, resp *http.Response) error {
				if r.Method != http.MethodPatch || !strings.Contains(r.URL.Path, "Microsoft.Resources/tags") {
					return nil
				}
				refused++
				return local.Forbid(resp)
			}}}
		})
		if _, err := poor.SetSession(t.Context(), vm.Ref{Name: "one", ResourceGroup: group}, "work"); err != nil || refused == 0 {
			t.Fatalf("%d refusals, %v", refused, err)
		}
		if match, err := s.Resolve(t.Context(), "work", group); err != nil || !match.VM.Managed {
			t.Errorf("%+v, %v", match.VM.Tags, err)
		}
	})
}

func TestSessionNamesOfThisMachine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		s, client := l.Open()
		for _, name := range []string{"one", "two", "three"} {
			if _, err := s.Provision(t.Context(), config(name), nil); err != nil {
				t.Fatal(err)
			}
			if name == "three" {
				continue
			}
			if _, err := s.SetSession(t.Context(), vm.Ref{Name: name, ResourceGroup: group}, ""); err != nil {
				t.Fatal(err)
			}
		}
		// three's tag is "three"; one may not take it, and three's own is not overruled.
		mine := vm.New(client, vm.Options{SessionNames: map[string]string{"one": "three", "two": "local", "three": "other"}})
		listing, err := mine.List(t.Context(), vm.ListOptions{ResourceGroup: group})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, i := range listing.VMs {
			got[i.Name] = i.SessionName
		}
		if got["one"] != "" || got["two"] != "local" || got["three"] != "three" {
			t.Errorf("got %v", got)
		}
		if i, err := mine.Get(t.Context(), vm.Ref{Name: "two", ResourceGroup: group}); err != nil || i.SessionName != "local" {
			t.Errorf("%+v, %v", i, err)
		}
		if match, err := mine.Resolve(t.Context(), "local:build", group); err != nil || match.VM.Name != "two" || match.TmuxSession != "build" {
			t.Errorf("%+v, %v", match, err)
		}
	})
}
