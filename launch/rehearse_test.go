package launch_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
)

// wiretap keeps the writes that go through.
type wiretap struct {
	next http.RoundTripper
	mu   sync.Mutex
	all  []azure.Write
}

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet && r.Body != nil && strings.HasPrefix(r.URL.Path, "/subscriptions/") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		w.all = append(w.all, azure.Write{Method: r.Method, URL: r.URL.String(), Body: body})
		w.mu.Unlock()
	}
	return w.next.RoundTrip(r)
}

var moment = regexp.MustCompile(`"azlin-created":"[^"]*"`)

// flat makes writes comparable: by path and body, without the time and what is secret.
func flat(t *testing.T, writes []azure.Write) []string {
	t.Helper()
	var all []string
	for _, w := range writes {
		u, err := url.Parse(w.URL)
		if err != nil {
			t.Fatal(err)
		}
		var body any
		if err := json.Unmarshal(w.Body, &body); err != nil {
			t.Fatal(err)
		}
		if o, ok := body.(map[string]any); ok {
			if p, ok := o["properties"].(map[string]any); ok {
				if profile, ok := p["osProfile"].(map[string]any); ok {
					profile["customData"] = "secret"
				}
			}
		}
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w.Method+" "+u.RequestURI()+" "+moment.ReplaceAllString(string(text), ""))
	}
	slices.Sort(all)
	return all
}

// TestRehearsalIsWhatIsSent holds what a dry run shows against what the same plan then sends, and wants nothing
// written, recorded or kept by the rehearsal.
func TestRehearsalIsWhatIsSent(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	tap := &wiretap{}
	client := c.open(t, "laptop", func(next http.RoundTripper) http.RoundTripper {
		tap.next = next
		return tap
	})
	display := progress.New(0, nil)
	r := c.request("dev")
	r.Tags = map[string]string{"it's": "${odd}\\"}
	plan, err := client.Launcher.Plan(t.Context(), r, display)
	if err != nil {
		t.Fatal(err)
	}
	rehearsed, err := client.Launcher.Rehearse(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if len(tap.all) != 0 || c.Emulator.Counts().Requests["PUT"] != 0 {
		t.Fatalf("the rehearsal sent %d writes", len(tap.all))
	}
	for _, w := range rehearsed {
		if strings.Contains(string(w.Body), "customData") && !strings.Contains(string(w.Body), `"customData":"(secret`) {
			t.Errorf("custom data is shown: %s", w.Body)
		}
	}
	if _, err := client.Launcher.Run(t.Context(), plan, display); err != nil {
		t.Fatal(err)
	}
	sent := slices.DeleteFunc(tap.all, func(w azure.Write) bool { return w.Method != http.MethodPut }) // the tags come after SSH
	if diff := cmp.Diff(flat(t, sent), flat(t, rehearsed)); diff != "" || len(rehearsed) < 6 {
		t.Errorf("%d writes (-sent +rehearsed):\n%s", len(rehearsed), diff)
	}

	nsg := slices.IndexFunc(rehearsed, func(w azure.Write) bool { return strings.Contains(w.URL, "/networkSecurityGroups/") })
	u, err := url.Parse(rehearsed[nsg].URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path += "/securityRules/web"
	rehearsed = append(rehearsed, azure.Write{Method: "PUT", URL: u.String(), Body: []byte(`{"properties":{"priority":300,"weight":0.5,"empty":{},"none":null,"list":[]}}`)})
	text, err := launch.Bicep(rehearsed)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"resource dev 'Microsoft.Compute/virtualMachines@", "id: dev_nic.id", "parent: dev_nsg", "customData: customData",
		"@secure()\n", "'${azlin_vnet_westus2.id}/subnets/azlin'", "priority: 300\n", "weight: json('0.5')", "empty: {}", "none: null", "list: []",
		`'it\'s': '\${odd}\\'`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the Bicep file has no %q", want)
		}
	}
	for _, not := range []string{"/subscriptions/", "azlin-op", "azlin-host-key", "resourceGroups@", "PRIVATE"} {
		if strings.Contains(text, not) {
			t.Errorf("the Bicep file has %q", not)
		}
	}
	if opened, closed := strings.Count(text, "{"), strings.Count(text, "}"); opened != closed {
		t.Errorf("%d braces are opened, %d closed", opened, closed)
	}
}
