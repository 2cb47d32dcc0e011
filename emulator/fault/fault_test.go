package fault_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator/fault"
)

func add(t *testing.T, s *fault.Set, r fault.Rule) fault.Rule {
	t.Helper()
	added, err := s.Add(r)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

func TestConditions(t *testing.T) {
	t.Parallel()
	vm := fault.Request{Method: "PUT", Path: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/dev", Type: "Microsoft.Compute/virtualMachines", Name: "dev"}
	for _, tc := range []struct {
		rule    fault.Rule
		strikes bool
	}{
		{fault.Rule{}, true},
		{fault.Rule{Method: "put"}, true},
		{fault.Rule{Method: "GET"}, false},
		{fault.Rule{Path: "*/VIRTUALMACHINES/*"}, true},
		{fault.Rule{Path: "*/disks/*"}, false},
		{fault.Rule{Type: "microsoft.compute/virtualmachines"}, true},
		{fault.Rule{Type: "Microsoft.Compute/disks"}, false},
		{fault.Rule{Name: "d?v"}, true},
		{fault.Rule{Name: "other"}, false},
	} {
		var s fault.Set
		tc.rule.Effect = fault.Error500
		add(t, &s, tc.rule)
		if got := s.OnRequest(vm) != nil; got != tc.strikes {
			t.Errorf("%+v: %v", tc.rule, got)
		}
	}
	var s fault.Set
	add(t, &s, fault.Rule{Effect: fault.Fail, Operation: "vm.create", Name: "dev"})
	add(t, &s, fault.Rule{Effect: fault.SSHDrop, Name: "dev"})
	if s.OnRequest(vm) != nil || s.OnOperation("vm.delete", vm.Type, "dev") != nil || s.OnSSH("other") != nil {
		t.Error("a fault strikes what it is not for")
	}
	if s.OnOperation("vm.create", vm.Type, "dev") == nil || s.OnSSH("dev") == nil {
		t.Error("a fault does not strike")
	}
}

func TestRefusedRules(t *testing.T) {
	t.Parallel()
	var s fault.Set
	for _, r := range []fault.Rule{
		{},
		{Effect: "flood"},
		{Effect: fault.Error500, Probability: 2},
		{Effect: fault.Error500, Count: -1},
		{Effect: fault.Error500, Operation: "vm.create"},
		{Effect: fault.Fail, Method: "PUT"},
		{Effect: fault.SSHHang, Path: "*"},
		{Effect: fault.SSHHang, Type: "x"},
		{Effect: fault.Error500, Path: "["},
	} {
		if _, err := s.Add(r); err == nil {
			t.Errorf("%+v was taken", r)
		}
	}
	r := add(t, &s, fault.Rule{Effect: fault.Error500})
	if _, err := s.Add(fault.Rule{ID: r.ID, Effect: fault.Error502}); err == nil {
		t.Error("two faults of one id")
	}
}

// trace is which of a hundred matches are struck.
func trace(t *testing.T, r fault.Rule) []int {
	t.Helper()
	var s fault.Set
	add(t, &s, r)
	var struck []int
	for n := range 100 {
		if s.OnRequest(fault.Request{Method: "GET", Path: "/"}) != nil {
			struck = append(struck, n)
		}
	}
	if got := s.List()[0]; got.Matched != 100 || got.Struck != len(struck) {
		t.Errorf("counted %+v, struck %d", got, len(struck))
	}
	return struck
}

func TestSkipCountAndChance(t *testing.T) {
	t.Parallel()
	if got := trace(t, fault.Rule{Effect: fault.Error500, Skip: 3, Count: 2}); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("struck at %v", got)
	}
	some := fault.Rule{Effect: fault.Error500, Probability: 0.2, Seed: 7}
	first := trace(t, some)
	if len(first) < 8 || len(first) > 35 || !slices.Equal(first, trace(t, some)) {
		t.Errorf("the same seed gives %v and %v", first, trace(t, some))
	}
	some.Seed = 8
	if slices.Equal(first, trace(t, some)) {
		t.Error("another seed gives the same")
	}
}

func TestClear(t *testing.T) {
	t.Parallel()
	var s fault.Set
	a, b := add(t, &s, fault.Rule{Effect: fault.Error500}), add(t, &s, fault.Rule{Effect: fault.Error502})
	if n := s.Clear("nothing"); n != 0 || !s.Has(a.ID) {
		t.Errorf("cleared %d", n)
	}
	if n := s.Clear(a.ID); n != 1 || s.Has(a.ID) || !s.Has(b.ID) {
		t.Errorf("cleared %d", n)
	}
	if n := s.Clear(); n != 1 || len(s.List()) != 0 {
		t.Errorf("cleared %d", n)
	}
}

// TestEffectsOnRequests looks at each over a real connection.
func TestEffectsOnRequests(t *testing.T) {
	t.Parallel()
	const answer = `{"value":["something","long","enough","to","be","cut"]}`
	for _, tc := range []struct {
		rule    fault.Rule
		status  int // 0: the connection breaks
		carried bool
		check   func(t *testing.T, header http.Header, body string, err error)
	}{
		{fault.Rule{Effect: fault.Throttle, Delay: 3 * time.Second}, 429, false, headerIs("Retry-After", "3")},
		{fault.Rule{Effect: fault.ThrottleNow}, 429, false, headerIs("Retry-After", "")},
		{fault.Rule{Effect: fault.Error500}, 500, false, nil},
		{fault.Rule{Effect: fault.Error502}, 502, false, headerIs("Content-Type", "text/html")},
		{fault.Rule{Effect: fault.Error503, Code: "Busy", Message: "not now"}, 503, false, func(t *testing.T, _ http.Header, body string, _ error) {
			t.Helper()
			if body != `{"error":{"code":"Busy","message":"not now"}}` {
				t.Error(body)
			}
		}},
		{fault.Rule{Effect: fault.InProgress}, 409, false, nil},
		{fault.Rule{Effect: fault.Expired}, 401, false, nil},
		{fault.Rule{Effect: fault.ResetBefore}, 0, false, nil},
		{fault.Rule{Effect: fault.ResetAfter}, 0, true, nil},
		{fault.Rule{Effect: fault.Slow, Delay: time.Millisecond}, 200, true, whole(answer)},
		{fault.Rule{Effect: fault.Truncate}, 200, true, func(t *testing.T, _ http.Header, body string, err error) {
			t.Helper()
			if err == nil || len(body) >= len(answer) {
				t.Errorf("%q, %v", body, err)
			}
		}},
		{fault.Rule{Effect: fault.Skew, Delay: time.Hour}, 200, true, func(t *testing.T, header http.Header, _ string, _ error) {
			t.Helper()
			if at, err := http.ParseTime(header.Get("Date")); err != nil || time.Until(at) < 50*time.Minute {
				t.Errorf("%s, %v", header.Get("Date"), err)
			}
		}},
	} {
		t.Run(string(tc.rule.Effect), func(t *testing.T) {
			t.Parallel()
			var s fault.Set
			add(t, &s, tc.rule)
			carried := false
			next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				carried = true
				_, _ = io.WriteString(w, answer)
			})
			server := httptest.NewServer(s.Handler(next, func(r *http.Request) (fault.Request, bool) {
				return fault.Request{Method: r.Method, Path: r.URL.Path}, r.URL.Path != "/spared"
			}))
			defer server.Close()
			get := func(path string) (int, http.Header, string, error) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := server.Client().Do(req)
				if err != nil {
					return 0, nil, "", err
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				return resp.StatusCode, resp.Header, string(body), err
			}
			if status, _, body, err := get("/spared"); err != nil || status != 200 || body != answer {
				t.Fatalf("a request that rules do not look at: %v, %q", err, body)
			}
			carried = false
			status, header, body, err := get("/struck")
			if status != tc.status || tc.status == 0 && err == nil {
				t.Fatalf("%d, %v", status, err)
			}
			server.Close() // ends the handler before carried is read
			if carried != tc.carried {
				t.Errorf("carried out: %v", carried)
			}
			if tc.check != nil {
				tc.check(t, header, body, err)
			}
		})
	}
}

func headerIs(name, want string) func(*testing.T, http.Header, string, error) {
	return func(t *testing.T, h http.Header, _ string, _ error) {
		t.Helper()
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func whole(want string) func(*testing.T, http.Header, string, error) {
	return func(t *testing.T, _ http.Header, body string, err error) {
		t.Helper()
		if body != want || err != nil {
			t.Errorf("%q, %v", body, err)
		}
	}
}
