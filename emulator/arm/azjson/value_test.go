package azjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

func TestParseKeepsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	o, err := azjson.Parse([]byte(`{"LOCATION":"x","Properties":{"osprofile":{"ADMINUSERNAME":"u"},"newThing":{"OddCase":1.50}},"TAGS":{"OSProfile":"kept"}}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"location":"x","properties":{"newThing":{"OddCase":1.50},"osProfile":{"adminUsername":"u"}},"tags":{"OSProfile":"kept"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	parse := func(s string) azjson.Object {
		o, err := azjson.Parse([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := parse(`{"a":{"b":1,"c":2},"tags":{"x":"1"},"gone":1,"list":[1,2]}`)
	azjson.Merge(o, parse(`{"a":{"b":3},"tags":{"y":"2"},"gone":null,"list":[9]}`), "tags")
	if want := parse(`{"a":{"b":3,"c":2},"tags":{"y":"2"},"list":[9]}`); !azjson.Same(o, want) {
		t.Errorf("got %v", o)
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/subscriptions/s":                   "Microsoft.Resources/subscriptions s",
		"/subscriptions/s/resourcegroups/g/": "Microsoft.Resources/resourceGroups g",
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v":                               "Microsoft.Compute/virtualMachines v",
		"/subscriptions/s/resourceGroups/g/providers/N.X/a/1/b/2":                                                       "N.X/a/b 2",
		"/subscriptions/s/resourceGroups/g/providers/N.X/a/1/providers/Microsoft.Authorization/locks/l":                 "Microsoft.Authorization/locks l",
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v/providers/Microsoft.R/tags/de": "Microsoft.R/tags de",
	} {
		id, err := resourceid.Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		name := id.Name()
		if id.Namespace == "" && id.Group == "" {
			name = id.Subscription
		}
		if got := id.Type() + " " + name; got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"", "x", "//", "/subscriptions", "/subscriptions//resourceGroups/g", "/tenants/t"} {
		if id, err := resourceid.Parse(in); err == nil {
			t.Errorf("%q is taken for %+v", in, id)
		}
	}
}

// FuzzParseID: what can be put together again names the same thing.
func FuzzParseID(f *testing.F) {
	f.Add("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v")
	f.Add("/subscriptions/s/providers/Microsoft.Compute/locations/l/operations/o")
	f.Add("/providers/x")
	f.Fuzz(func(t *testing.T, in string) {
		id, err := resourceid.Parse(in)
		if err != nil {
			return
		}
		if again, err := resourceid.Parse(id.String()); strings.Count(strings.ToLower(in), "/providers/") < 2 && (err != nil || again.String() != id.String()) {
			t.Errorf("%q became %q, then %q (%v)", in, id, again, err)
		}
	})
}

// FuzzParse: what is parsed can be written and is then the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[{"TAGS":{"B":1e400}}]}`))
	f.Add([]byte(`{"a":1,"A":2}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		o, err := azjson.Parse(in)
		if err != nil {
			return
		}
		out, err := json.Marshal(o)
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		again, err := azjson.Parse(out)
		if err != nil || !azjson.Same(o, again) {
			t.Errorf("%q became %s (%v)", in, out, err)
		}
	})
}

// TestParseIsLoose reads what az sends as a deployment: a template with comments, spliced in by a bare name.
func TestParseIsLoose(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"properties": {"mode": "Incremental", template:{ // why` + "\n" + `"a": "http://x", /* all */ "l": [1, 2,], },}}`: `{"properties":{"mode":"Incremental","template":{"a":"http://x","l":[1,2]}}}`,
		`{'a': 'it"s', "b": true, c1: null, "d": "it's \"so\""}`:                                                            `{"a":"it\"s","b":true,"c1":null,"d":"it's \"so\""}`,
		"{\"a\": \"two\nlines\"}": `{"a":"two\nlines"}`,
	} {
		o, err := azjson.Parse([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got, _ := json.Marshal(o); string(got) != want {
			t.Errorf("%s: %s, not %s", in, got, want)
		}
	}
	for _, in := range []string{``, `{`, `{a}`, `{"a": b}`, `{"a": "b}`, `{/*`, `[1]`, `{"a":1} x`} {
		if o, err := azjson.Parse([]byte(in)); err == nil {
			t.Errorf("%s was taken for %v", in, o)
		}
	}
}
