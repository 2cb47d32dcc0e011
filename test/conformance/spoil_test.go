package conformance_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/arm/contract"
	"github.com/azlin-dev/azlin/test/conformance"
)

var spoilings = flag.Int("spoilings", 60, "how many spoilt bodies TestSpoiltBodiesAreRefused draws for each request of the cases; 0: all there are")

// spoiling is one way to spoil a body.
type spoiling struct {
	kind  string // misspelled, mistyped, missing, value
	where string
	do    func(body map[string]any)
}

// spoilings are all ways to spoil a body of a kind, member by member: those that are there, and those that could be.
func allSpoilings(k *contract.Kind, body map[string]any) []spoiling {
	var l []spoiling
	spoilObject(k.Object(), body, nil, 0, &l)
	return l
}

// hop is one step into a body: a name or an index.
type hop any

// reach goes into a body, and makes the objects on the way that are not there.
func reach(body map[string]any, way []hop) map[string]any {
	var at any = body
	for _, h := range way {
		switch h := h.(type) {
		case int:
			l, ok := at.([]any)
			if !ok || h >= len(l) {
				return map[string]any{}
			}
			at = l[h]
		case string:
			o, ok := at.(map[string]any)
			if !ok {
				return map[string]any{}
			}
			if o[h] == nil {
				o[h] = map[string]any{}
			}
			at = o[h]
		}
	}
	o, _ := at.(map[string]any)
	return o
}

func spoilObject(def contract.Definition, have map[string]any, way []hop, made int, l *[]spoiling) {
	for _, name := range slices.Sorted(maps.Keys(def)) {
		m := def[name]
		if m.ReadOnly == 1 {
			continue
		}
		add := func(kind string, do func(o map[string]any)) {
			*l = append(*l, spoiling{kind, fmt.Sprint(append(slices.Clone(way), name)), func(body map[string]any) {
				if o := reach(body, way); o != nil {
					do(o)
				}
			}})
		}
		old, there := have[name]
		add("misspelled", func(o map[string]any) {
			v := o[name]
			if v == nil {
				v = "x"
			}
			delete(o, name)
			o[name+"s1"] = v
		})
		for _, w := range wrong(&m.Kind) {
			add("mistyped", func(o map[string]any) { o[name] = w })
		}
		if len(m.Kind.Values) > 0 && !m.Kind.Open {
			add("value", func(o map[string]any) { o[name] = "NoSuchValue" })
		}
		if m.Required == 1 && there {
			add("missing", func(o map[string]any) { delete(o, name) })
		}
		next := append(slices.Clone(way), name)
		switch {
		case m.Kind.Object() != nil:
			o, ok := old.(map[string]any)
			if deeper := made + 1; ok {
				spoilObject(m.Kind.Object(), o, next, made, l)
			} else if deeper <= 2 {
				spoilObject(m.Kind.Object(), nil, next, deeper, l)
			}
		case m.Kind.List != nil && m.Kind.List.Object() != nil:
			items, _ := old.([]any)
			for i, e := range items {
				if o, ok := e.(map[string]any); ok {
					spoilObject(m.Kind.List.Object(), o, append(slices.Clone(next), i), made, l)
				}
			}
		}
	}
}

// wrong are values of other types.
func wrong(k *contract.Kind) []any {
	switch {
	case k.List != nil:
		return []any{"x", map[string]any{"x": "y"}}
	case k.Map != nil, k.Object() != nil:
		return []any{"x", []any{"x"}}
	case k.Values != nil, k.Name == "s":
		return []any{map[string]any{"x": "y"}, []any{"x"}, json.Number("7")}
	case k.Name == "b":
		return []any{"perhaps", map[string]any{}}
	case k.Name == "i", k.Name == "n":
		return []any{"many", map[string]any{}, true}
	case k.Name == "d":
		return []any{"yesterday", json.Number("7")}
	}
	return nil
}

// spoils is a transport that sends spoilt copies of each request before the request itself.
type spoils struct {
	t       *testing.T
	rng     *rand.Rand
	next    http.RoundTripper
	sent    map[string]int // by kind
	refused map[string]int
	types   map[string]bool
	missed  []string
}

func (s *spoils) RoundTrip(r *http.Request) (*http.Response, error) {
	var raw []byte
	if r.Body != nil {
		var err error
		if raw, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	again := func(raw []byte) *http.Request {
		c := r.Clone(r.Context())
		c.Body, c.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
		return c
	}
	op := contract.At(r.Method, r.URL.Path, strings.ToLower(r.URL.Query().Get("api-version")))
	valid, err := s.next.RoundTrip(again(raw))
	if err != nil || op == nil || op.Body == nil || len(raw) == 0 || valid.StatusCode >= http.StatusMultipleChoices {
		return valid, err // a body is spoilt after it was taken: it was right, and what is made is there
	}
	s.types[op.Method+" "+op.Path] = true
	for _, what := range s.draw(op, raw) {
		var body map[string]any
		if json.Unmarshal(raw, &body) != nil {
			break
		}
		what.do(body)
		spoilt, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		resp, err := s.next.RoundTrip(again(spoilt))
		if err != nil {
			return nil, err
		}
		said, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		s.sent[what.kind]++
		if resp.StatusCode == http.StatusBadRequest {
			s.refused[what.kind]++
		} else {
			s.missed = append(s.missed, fmt.Sprintf("%s %s %s: %d %.200s", op.ID, what.kind, what.where, resp.StatusCode, said))
		}
	}
	return valid, nil
}

func (s *spoils) draw(op *contract.Operation, raw []byte) []spoiling {
	var body map[string]any
	if json.Unmarshal(raw, &body) != nil {
		return nil
	}
	all := allSpoilings(op.Body, body)
	s.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if *spoilings > 0 {
		all = all[:min(len(all), *spoilings)]
	}
	return all
}

// TestSpoiltBodiesAreRefused spoils the bodies of all types that can be written, one member at a time: a member with another name,
// with a value of another type, outside of what is allowed, or without one that must be there. Azure answers 400.
func TestSpoiltBodiesAreRefused(t *testing.T) {
	t.Parallel()
	from := seedOf(t)
	synctest.Test(t, func(t *testing.T) {
		s := &spoils{t: t, rng: rand.New(rand.NewPCG(from, 3)), sent: map[string]int{}, refused: map[string]int{}, types: map[string]bool{}}
		target := onEmulator(t, emulator.Options{Realistic: true, Throttle: emulator.ThrottleOff, TokenLifetime: 1000 * time.Hour}, func(rt http.RoundTripper) http.RoundTripper {
			s.next = rt
			return s
		})
		target.All = true
		if _, err := conformance.Run(t.Context(), target, load(t)); err != nil {
			t.Fatal(err)
		}
		sent, refused := 0, 0
		for _, k := range slices.Sorted(maps.Keys(s.sent)) {
			t.Logf("%s: %d of %d refused", k, s.refused[k], s.sent[k])
			sent, refused = sent+s.sent[k], refused+s.refused[k]
		}
		ratio := float64(refused) / float64(max(sent, 1))
		t.Logf("%d operations, %d of %d spoilt bodies refused with 400: %.2f %%", len(s.types), refused, sent, 100*ratio)
		slices.Sort(s.missed)
		for _, m := range s.missed[:min(len(s.missed), 40)] {
			t.Log("taken: " + m)
		}
		if ratio < 0.95 || len(s.types) < 20 {
			t.Errorf("%.2f %% of the spoilt bodies of %d operations are refused, fewer than 95 %%", 100*ratio, len(s.types))
		}
	})
}
