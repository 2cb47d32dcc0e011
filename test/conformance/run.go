package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Target is what the cases run against.
type Target struct {
	Base   string // of the resource manager
	HTTP   *http.Client
	Token  func(ctx context.Context) (string, error)
	Vars   map[string]string
	Strict bool // nothing may be there that is not expected: for the emulator
	All    bool // go on after a failure
}

// Failure is a case that went otherwise than expected.
type Failure struct {
	Case Case
	What string
}

func (f Failure) String() string { return f.Case.File + ": " + f.Case.Name + ": " + f.What }

// run is one run of the cases.
type run struct {
	Target

	token  string
	found  []string
	latest answer
}

// answer is a reply as it came.
type answer struct {
	status int
	header http.Header
	raw    []byte
	body   any
}

// Run makes the requests of the cases in their order.
func Run(ctx context.Context, t Target, cases []Case) ([]Failure, error) {
	r := &run{Target: t}
	r.Vars = maps.Clone(t.Vars)
	var err error
	if r.token, err = t.Token(ctx); err != nil {
		return nil, err
	}
	r.Vars["token"] = r.token
	var failures []Failure
	for _, c := range cases {
		if c.Only == "emulator" && !t.Strict {
			continue
		}
		r.found = nil
		if err := r.try(ctx, c); err != nil {
			r.found = append(r.found, err.Error())
		}
		for _, what := range r.found {
			failures = append(failures, Failure{c, what})
		}
		if len(failures) > 0 && !t.All {
			break
		}
	}
	return failures, nil
}

func (r *run) differ(format string, args ...any) {
	r.found = append(r.found, fmt.Sprintf(format, args...))
}

func (r *run) try(ctx context.Context, c Case) error {
	method, path, ok := strings.Cut(r.fill(c.Request), " ")
	if !ok {
		return fmt.Errorf("%q is not a request", c.Request)
	}
	a, err := r.send(ctx, method, r.at(path), c)
	if err != nil {
		return err
	}
	r.judge(c, method, path, a, c.Status, c.Shape, c.Headers)
	for name, path := range c.Keep {
		v := a.body
		for k := range strings.FieldsFuncSeq(path, func(c rune) bool { return c == '.' }) {
			if l, ok := v.([]any); ok {
				n, _ := strconv.Atoi(k)
				v = nil
				if n < len(l) {
					v = l[n]
				}
				continue
			}
			o, _ := v.(map[string]any)
			v = o[k]
		}
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("nothing to keep at %s", path)
		}
		r.Vars[name] = s
	}
	if c.Wait == "" || len(r.found) > 0 {
		return nil
	}
	return r.follow(ctx, c, a, strings.SplitN(path, "?", 2))
}

// at makes a URL out of a path; texts that are URLs already stay. Filters are easier to read with their spaces, which a
// server would not take.
func (r *run) at(path string) string {
	path = strings.ReplaceAll(path, " ", "%20")
	if strings.HasPrefix(path, "https://") {
		return path
	}
	return r.Base + path
}

// fill puts values for names in braces.
func (r *run) fill(s string) string {
	for range 2 { // values may hold names
		for k, v := range r.Vars {
			s = strings.ReplaceAll(s, "{"+k+"}", v)
		}
	}
	return s
}

func (r *run) fillAll(v any) any {
	switch x := v.(type) {
	case string:
		return r.fill(x)
	case []any:
		l := make([]any, len(x))
		for i, e := range x {
			l[i] = r.fillAll(e)
		}
		return l
	case map[string]any:
		o := make(map[string]any, len(x))
		for k, e := range x {
			o[r.fill(k)] = r.fillAll(e)
		}
		return o
	}
	return v
}

func (r *run) send(ctx context.Context, method, to string, c Case) (answer, error) {
	var body io.Reader
	typ := ""
	switch {
	case c.Form != nil:
		form := url.Values{}
		for k, v := range c.Form {
			form.Set(k, r.fill(v))
		}
		body, typ = strings.NewReader(form.Encode()), "application/x-www-form-urlencoded"
	case c.Body != nil:
		raw, err := json.Marshal(r.fillAll(c.Body))
		if err != nil {
			return answer{}, err
		}
		body, typ = bytes.NewReader(raw), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return answer{}, err
	}
	if typ != "" {
		req.Header.Set("Content-Type", typ)
	}
	for k, v := range c.Send {
		req.Header.Set(k, r.fill(v))
	}
	if c.As != "nobody" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	resp, err := r.HTTP.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }() // was read
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.status == http.StatusSwitchingProtocols {
		r.latest = a // what follows is a tunnel, which is closed
		return a, nil
	}
	if a.raw, err = io.ReadAll(resp.Body); err != nil {
		return answer{}, err
	}
	switch {
	case strings.HasPrefix(a.header.Get("Content-Type"), "text/plain"), strings.HasPrefix(a.header.Get("Content-Type"), "application/octet-stream"):
		a.body = string(a.raw)
	case len(a.raw) > 0:
		d := json.NewDecoder(bytes.NewReader(a.raw))
		d.UseNumber()
		if err := d.Decode(&a.body); err != nil {
			return answer{}, fmt.Errorf("%s %s: %w: %s", method, to, err, a.raw)
		}
	}
	r.latest = a
	return a, nil
}

// judge holds an answer against what is expected.
func (r *run) judge(c Case, method, path string, a answer, status int, shape any, headers map[string]string) {
	if a.status != status {
		r.differ("status %d, not %d: %s", a.status, status, a.raw)
		return
	}
	if shape == nil {
		if len(a.raw) > 0 {
			r.differ("has a body: %s", a.raw)
		}
	} else {
		r.found = append(r.found, Match(r.fillAll(shape), a.body, r.Strict)...)
	}
	want := standard(c, method, path, len(a.raw) > 0)
	for k, v := range headers {
		want[http.CanonicalHeaderKey(k)] = v
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		pattern, optional := strings.CutSuffix(want[k], " ?")
		got := a.header.Get(k)
		if got == "" && !r.Strict && (optional || k == "Date") {
			continue
		}
		if len(a.header.Values(k)) > 1 && r.Strict || !expression(r.fill(pattern)).MatchString(got) {
			r.differ("header %s is %.200q, not %q", k, got, pattern)
		}
	}
	if !r.Strict {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(map[string][]string(a.header))) {
		if _, ok := want[k]; !ok {
			r.differ("header %s is not expected: %.200q", k, a.header.Get(k))
		}
	}
}

// pause waits as long as an answer says.
func (r *run) pause(ctx context.Context, a answer) error {
	n, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || n < 1 {
		n = 5
	}
	t := time.NewTimer(time.Duration(n) * time.Second)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
