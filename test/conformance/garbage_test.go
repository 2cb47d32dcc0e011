package conformance_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/conformance"
)

var garbage = flag.Int("garbage", 40, "how many spoilt requests TestGarbage sends before each request of the cases")

// spoiler is a transport that sends spoilt copies of each request before the request itself. Whatever they say, the
// service answers with an error in its envelope, or takes them, and goes on.
type spoiler struct {
	t    *testing.T
	rng  *rand.Rand
	next http.RoundTripper
	sent map[int]int // by status
}

func (s *spoiler) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	again := func(raw []byte) *http.Request {
		c := r.Clone(r.Context())
		c.Body, c.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
		return c
	}
	if (r.Method == http.MethodPut || r.Method == http.MethodPatch || r.Method == http.MethodPost) && !strings.Contains(r.URL.Path, "/oauth2/") {
		for range *garbage {
			raw := spoil(s.rng, body)
			spoilt := again(raw)
			spoilt.Header.Set("Content-Type", "application/json")
			resp, err := s.next.RoundTrip(spoilt)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
			}
			s.judge(r, raw, resp)
			time.Sleep(time.Second) // of the emulator's: what it began ends
		}
	}
	return s.next.RoundTrip(again(body))
}

func (s *spoiler) judge(r *http.Request, sent []byte, resp *http.Response) {
	s.t.Helper()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.sent[resp.StatusCode]++
	var o struct {
		Error   struct{ Code, Message string } `json:"error"`
		Message string                         `json:"message"`
	}
	bastion := strings.HasPrefix(r.URL.Path, "/api/") // has an envelope of its own
	switch {
	case resp.StatusCode < 400:
	case resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented:
		s.t.Errorf("%s %s %s: %d %s", r.Method, r.URL.Path, sent, resp.StatusCode, raw)
	case json.Unmarshal(raw, &o) != nil, bastion && o.Message == "", !bastion && (o.Error.Code == "" || o.Error.Message == ""):
		s.t.Errorf("%s %s %s: %d %s is no error of Azure's", r.Method, r.URL.Path, sent, resp.StatusCode, raw)
	}
}

// spoil changes a body in one or two places.
func spoil(rng *rand.Rand, body []byte) []byte {
	wrong := []any{nil, true, -1, 1e300, "", "x", "/subscriptions/x", strings.Repeat("x", 300), []any{}, []any{nil}, []any{[]any{}}, []any{"x"}, []any{map[string]any{}}, map[string]any{}, map[string]any{"id": "x"}, map[string]any{"id": 7}, map[string]any{"properties": "x"}}
	var v any
	if json.Unmarshal(body, &v) != nil {
		v = map[string]any{}
	}
	for range 1 + rng.IntN(2) {
		w := wrong[rng.IntN(len(wrong))]
		all := conformance.Places(v)
		if len(all) == 0 || rng.IntN(40) == 0 {
			v = w
			continue
		}
		p := all[rng.IntN(len(all))]
		switch rng.IntN(8) {
		case 0:
			delete(p.In, p.Name)
		case 1:
			p.In[strings.ToUpper(p.Name)] = w // beside the one that is there
		default:
			p.In[p.Name] = w
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	if rng.IntN(50) == 0 {
		raw = raw[:len(raw)/2]
	}
	return raw
}

// TestGarbage sends what no client means: wrong types, missing members, ids of nothing.
func TestGarbage(t *testing.T) {
	t.Parallel()
	from := seedOf(t)
	synctest.Test(t, func(t *testing.T) {
		s := &spoiler{t: t, rng: rand.New(rand.NewPCG(from, 2)), sent: map[int]int{}}
		target := onEmulator(t, emulator.Options{Throttle: emulator.ThrottleOff, TokenLifetime: 1000 * time.Hour}, func(rt http.RoundTripper) http.RoundTripper {
			s.next = rt
			return s
		})
		target.All = true
		// What the cases themselves come to after that is of no matter here.
		if _, err := conformance.Run(t.Context(), target, load(t)); err != nil {
			t.Fatal(err)
		}
		t.Logf("answers by status: %v", s.sent)
	})
}
