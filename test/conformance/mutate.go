package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
)

// Mutation is one change of one answer.
type Mutation struct {
	Exchange int    // which answer of a run, from 0
	Kind     string // status, header or field
	What     string // what was changed
	apply    func(resp *http.Response)
}

func (m Mutation) String() string {
	return fmt.Sprintf("answer %d: %s", m.Exchange, m.What)
}

// Mutator is a transport that keeps the answers of a run, and changes one of them.
type Mutator struct {
	Next     http.RoundTripper
	Mutation *Mutation // nil: nothing is changed
	Seen     []Seen
}

// Seen is an answer that went by.
type Seen struct {
	Request string
	Status  int
	Header  http.Header
	Body    []byte
}

// RoundTrip passes a request on and may change the answer.
func (m *Mutator) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.Next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	var body []byte
	if resp.StatusCode != http.StatusSwitchingProtocols { // else it does not end
		if body, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	if m.Mutation != nil && m.Mutation.Exchange == len(m.Seen) {
		m.Mutation.apply(resp)
	}
	m.Seen = append(m.Seen, Seen{r.Method + " " + r.URL.Path, resp.StatusCode, resp.Header.Clone(), body})
	return resp, nil
}

// Mutate draws a change of one of the answers that a run saw.
func Mutate(rng *rand.Rand, seen []Seen) Mutation {
	for {
		n := rng.IntN(len(seen))
		s := seen[n]
		var m *Mutation
		switch rng.IntN(4) {
		case 0:
			m = mutateStatus(rng, s)
		case 1:
			m = mutateHeader(rng, s)
		default:
			m = mutateField(rng, s)
		}
		if m != nil {
			m.Exchange, m.What = n, s.Request+": "+m.What
			return *m
		}
	}
}

func mutateStatus(rng *rand.Rand, s Seen) *Mutation {
	to := []int{200, 201, 202, 204, 400, 404, 409, 500}
	to = slices.DeleteFunc(to, func(n int) bool { return n == s.Status })
	n := to[rng.IntN(len(to))]
	return &Mutation{Kind: "status", What: fmt.Sprintf("status %d instead of %d", n, s.Status), apply: func(resp *http.Response) { resp.StatusCode = n }}
}

func mutateHeader(rng *rand.Rand, s Seen) *Mutation {
	names := slices.Sorted(maps.Keys(map[string][]string(s.Header)))
	name, kind := "", 2
	if len(names) > 0 {
		name, kind = names[rng.IntN(len(names))], rng.IntN(3)
	}
	switch kind {
	case 0:
		return &Mutation{Kind: "header", What: "no " + name, apply: func(resp *http.Response) { resp.Header.Del(name) }}
	case 1:
		return &Mutation{Kind: "header", What: name + " is something else", apply: func(resp *http.Response) { resp.Header.Set(name, resp.Header.Get(name)+" !") }}
	}
	return &Mutation{Kind: "header", What: "a header that nobody knows", apply: func(resp *http.Response) { resp.Header.Set("X-Ms-Unknown", "x") }}
}

// Place is a member of an object somewhere in a body.
type Place struct {
	In   map[string]any
	Name string
	path string
}

// Places are all members of all objects in a value, in an order that is always the same.
func Places(v any) []Place { return places(v, "") }

func places(v any, path string) []Place {
	var l []Place
	switch x := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			l = append(l, Place{x, k, path + "." + k})
			l = append(l, places(x[k], path+"."+k)...)
		}
	case []any:
		for i, e := range x {
			l = append(l, places(e, path+"["+strconv.Itoa(i)+"]")...)
		}
	}
	return l
}

func parse(body []byte) any {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// mutateField drops, renames, adds or changes a member of the body. Lists of all that a service has (regions,
// API versions) are looked at for one element; the others are left alone.
func mutateField(rng *rand.Rand, s Seen) *Mutation {
	all := Places(parse(s.Body))
	if len(all) == 0 || len(all) > 400 {
		return nil
	}
	n, kind := rng.IntN(len(all)), rng.IntN(4)
	what := []string{"no ", "another name for ", "something beside ", "another value of "}[kind] + all[n].path
	return &Mutation{Kind: "field", What: what, apply: func(resp *http.Response) {
		v := parse(s.Body)
		if raw, err := io.ReadAll(resp.Body); err == nil {
			v = parse(raw) // ids differ from run to run
		}
		if l := Places(v); n < len(l) {
			change(l[n], kind)
		}
		raw, _ := json.Marshal(v) // came out of JSON
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	}}
}

func change(p Place, kind int) {
	old := p.In[p.Name]
	switch kind {
	case 0:
		delete(p.In, p.Name)
	case 1:
		delete(p.In, p.Name)
		p.In[p.Name+"X"] = old
	case 2:
		p.In["unknownMember"] = true
	default:
		switch x := old.(type) {
		case string:
			p.In[p.Name] = x + " !"
		case bool:
			p.In[p.Name] = !x
		case json.Number:
			p.In[p.Name] = x.String() + " !"
		case nil:
			p.In[p.Name] = "!"
		default:
			p.In[p.Name] = "!"
		}
	}
}
