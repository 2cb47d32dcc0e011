package azure_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/wire"
)

func TestManaged(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		tags map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"managed-by": "azlin"}, true},
		{map[string]string{"Managed-By": "azlin"}, true},  // names have no case
		{map[string]string{"managed-by": "Azlin"}, false}, // values have
		{map[string]string{"managed-by": "terraform"}, false},
	} {
		if got := azure.Managed(tc.tags); got != tc.want {
			t.Errorf("%v: %v", tc.tags, got)
		}
	}
}

func TestValidateTags(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 51 {
		many[strings.Repeat("x", i+1)] = ""
	}
	for name, tags := range map[string]map[string]string{
		"too many":        many,
		"empty name":      {"": "v"},
		"long name":       {strings.Repeat("x", 513): "v"},
		"long value":      {"a": strings.Repeat("x", 257)},
		"slash":           {"a/b": "v"},
		"reserved prefix": {"Azure-thing": "v"},
		"control":         {"a": "x\ny"},
		"same name twice": {"Env": "1", "env": "2"},
	} {
		if err := azure.ValidateTags(tags); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := azure.ValidateTags(map[string]string{"azlin-owner": "ann@example.com", "日本": strings.Repeat("x", 256)}); err != nil {
		t.Error(err)
	}
}

func TestWithTags(t *testing.T) {
	t.Parallel()
	base := map[string]string{"Env": "dev", "a": "1"}
	got := azure.WithTags(base, map[string]string{"env": "prod"})
	if diff := cmp.Diff(map[string]string{"env": "prod", "a": "1"}, got); diff != "" {
		t.Error(diff)
	}
	if base["Env"] != "dev" {
		t.Error("the base was changed")
	}
}

const vmID = "/subscriptions/" + wire.Subscription + "/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"

func TestMergeTags(t *testing.T) {
	t.Parallel()
	t.Run("one request", func(t *testing.T) {
		t.Parallel()
		var body string
		c := open(t, func(w http.ResponseWriter, r *http.Request) {
			data, _ := io.ReadAll(r.Body)
			body = r.Method + " " + r.URL.Path + " " + string(data)
			wire.Reply(w, 200, `{"properties":{"tags":{"a":"1"}}}`)
		})
		if err := c.MergeTags(t.Context(), vmID, map[string]string{"a": "1"}); err != nil {
			t.Fatal(err)
		}
		want := "PATCH " + vmID + `/providers/Microsoft.Resources/tags/default {"operation":"Merge","properties":{"tags":{"a":"1"}}}`
		if body != want || c.Requests() != 1 {
			t.Errorf("sent %s (%d requests)", body, c.Requests())
		}
	})
	t.Run("without the right to tags", func(t *testing.T) {
		t.Parallel()
		etag, patches, last := `"1"`, 0, ""
		c := open(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.Contains(r.URL.Path, "Microsoft.Resources"):
				wire.Refuse(w, 403, "AuthorizationFailed", "no")
			case r.Method == http.MethodGet:
				w.Header().Set("ETag", etag)
				wire.Reply(w, 200, `{"tags":{"old":"x","A":"0"}}`)
			case r.Header.Get("If-Match") != `"2"`:
				patches++
				etag = `"2"` // somebody else was faster
				wire.Refuse(w, 412, "PreconditionFailed", "changed")
			default:
				patches++
				data, _ := io.ReadAll(r.Body)
				last = string(data)
				wire.Reply(w, 200, `{}`)
			}
		})
		if err := c.MergeTags(t.Context(), vmID, map[string]string{"a": "1"}); err != nil {
			t.Fatal(err)
		}
		if patches != 2 || last != `{"tags":{"a":"1","old":"x"}}` {
			t.Errorf("%d patches, the last was %s", patches, last)
		}
	})
	t.Run("no VM", func(t *testing.T) {
		t.Parallel()
		c := open(t, func(w http.ResponseWriter, _ *http.Request) { wire.Refuse(w, 403, "AuthorizationFailed", "no") })
		err := c.MergeTags(t.Context(), "/subscriptions/"+wire.Subscription+"/resourceGroups/g", map[string]string{"a": "1"})
		if errkind.Of(err) != errkind.Permission {
			t.Errorf("got %v", err)
		}
	})
}

func TestDeleteTags(t *testing.T) {
	t.Parallel()
	var sent string
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			data, _ := io.ReadAll(r.Body)
			sent = string(data)
		}
		wire.Reply(w, 200, `{"properties":{"tags":{"Env":"dev","b":"2"}}}`)
	})
	if err := c.DeleteTags(t.Context(), vmID, "env", "absent"); err != nil {
		t.Fatal(err)
	}
	if sent != `{"operation":"Delete","properties":{"tags":{"env":"dev"}}}` {
		t.Errorf("sent %s", sent)
	}
}
