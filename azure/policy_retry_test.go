package azure_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/wire"
)

const nicPath = "/subscriptions/" + wire.Subscription + "/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n"

func TestRetryByCode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		code    string
		status  int
		busyFor time.Duration
		ok      bool
		says    string
	}{
		{"AnotherOperationInProgress", 409, 20 * time.Second, true, "busy"},
		{"RetryableError", 409, 20 * time.Second, true, "busy"},
		{"AnotherOperationInProgress", 409, time.Hour, false, "busy"},
		{"NicReservedForAnotherVm", 400, 180 * time.Second, true, "180 s"},
		{"NicReservedForAnotherVm", 400, time.Hour, false, "180 s"},
		{"SecurityRuleConflict", 400, time.Second, false, ""}, // waiting does not mend it
		{"SkuNotAvailable", 409, time.Second, false, ""},
	} {
		t.Run(tc.code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var notices []string
				c := open(t, func(w http.ResponseWriter, r *http.Request) {
					if body, _ := io.ReadAll(r.Body); string(body) != `{"a":1}` {
						t.Errorf("a repeat sent %q", body)
					}
					if time.Since(began) < tc.busyFor {
						wire.Refuse(w, tc.status, tc.code, "not now")
						return
					}
					wire.Reply(w, 200, `{}`)
				})
				ctx := pacing.WithNotice(t.Context(), func(m string) { notices = append(notices, m) })
				_, err := c.Do(ctx, http.MethodPut, nicPath, "1", map[string]int{"a": 1})
				if (err == nil) != tc.ok {
					t.Fatalf("after %s: %v", time.Since(began), err)
				}
				if tc.says == "" {
					if c.Requests() != 1 {
						t.Errorf("%d requests", c.Requests())
					}
					return
				}
				if len(notices) != 1 || !strings.Contains(notices[0], tc.says) {
					t.Errorf("notices: %q", notices)
				}
				if time.Since(began) > 6*time.Minute {
					t.Errorf("waited %s", time.Since(began))
				}
			})
		})
	}
}

func TestNotFoundAfterCreate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		visible := time.Now().Add(4 * time.Second)
		c := open(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPut:
				wire.Reply(w, 201, `{}`)
			case r.Method == http.MethodDelete:
				w.WriteHeader(200)
			case strings.HasSuffix(r.URL.Path, "/n") && time.Now().After(visible):
				wire.Reply(w, 200, `{}`)
			default:
				wire.Refuse(w, 404, "ResourceNotFound", "not there")
			}
		})
		if _, err := c.Do(t.Context(), http.MethodGet, nicPath, "1", nil); errkind.Of(err) != errkind.NotFound || c.Requests() != 1 {
			t.Fatalf("what we did not create: %v after %d requests", err, c.Requests())
		}
		if _, err := c.Do(t.Context(), http.MethodPut, nicPath, "1", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(t.Context(), http.MethodGet, strings.ToUpper(nicPath[:15])+nicPath[15:], "1", nil); err != nil {
			t.Errorf("what we created seconds ago: %v", err)
		}
		if _, err := c.Do(t.Context(), http.MethodDelete, nicPath, "1", nil); err != nil {
			t.Fatal(err)
		}
		visible = time.Now().Add(time.Hour)
		n := c.Requests()
		if _, err := c.Do(t.Context(), http.MethodGet, nicPath, "1", nil); errkind.Of(err) != errkind.NotFound || c.Requests() != n+1 {
			t.Errorf("what we deleted: %v after %d requests", err, c.Requests()-n)
		}
	})
}

func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := open(t, func(w http.ResponseWriter, _ *http.Request) { wire.Refuse(w, 409, "RetryableError", "later") })
		ctx, cancel := contextWithTimeout(t, 3*time.Second)
		defer cancel()
		began := time.Now()
		_, err := c.Do(ctx, http.MethodPut, nicPath, "1", nil)
		if errkind.Of(err) != errkind.Unreachable || time.Since(began) > 4*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// TestReferenceToFresh: a PUT that refers to what we made a moment ago is refused until Azure's other
// half knows it.
func TestReferenceToFresh(t *testing.T) {
	t.Parallel()
	const subnet = "/subscriptions/" + wire.Subscription + "/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
	for _, tc := range []struct {
		name, code, refers string
		status             int
		ok                 bool
	}{
		{"reference to ours", "InvalidResourceReference", subnet, 400, true},
		{"reference to another", "InvalidResourceReference", subnet + "x2", 400, false},
		{"group of ours", "ResourceGroupNotFound", "g", 404, true},
		{"parent of another", "ParentResourceNotFound", "p", 404, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				known := time.Now().Add(5 * time.Second)
				c := open(t, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == nicPath && time.Now().Before(known) {
						wire.Refuse(w, tc.status, tc.code, "Resource "+strings.ToUpper(tc.refers)+" was not found.")
						return
					}
					wire.Reply(w, 201, `{}`)
				})
				made := subnet
				if tc.code == "ResourceGroupNotFound" {
					made = "/subscriptions/" + wire.Subscription + "/resourcegroups/G"
				}
				if tc.name == "reference to another" {
					made = strings.Replace(subnet, "/subnets/s", "/subnets/elsewhere", 1)
				}
				if _, err := c.Do(t.Context(), http.MethodPut, made, "1", nil); err != nil {
					t.Fatal(err)
				}
				if _, err := c.Do(t.Context(), http.MethodPut, nicPath, "1", nil); (err == nil) != tc.ok {
					t.Errorf("%v after %d requests", err, c.Requests())
				}
			})
		})
	}
}

// TestAnswerCutShort: a patch whose answer ends in the middle is repeated, since it is the same the second time; a POST is
// not, and its failure says what it is.
func TestAnswerCutShort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method   string
		requests int64
		ok       bool
	}{{http.MethodPatch, 2, true}, {http.MethodPost, 1, false}} {
		synctest.Test(t, func(t *testing.T) {
			cut := false
			client := open(t, func(w http.ResponseWriter, _ *http.Request) { wire.Reply(w, 200, `{"a":1}`) }, func(o *azure.Options) {
				o.HTTP = &http.Client{Transport: cutting{o.HTTP.Transport, &cut}}
			})
			_, err := client.Do(t.Context(), c.method, nicPath, "1", map[string]int{"a": 1})
			if (err == nil) != c.ok || err != nil && errkind.Of(err) != errkind.Unreachable {
				t.Errorf("%s: %v [%s]", c.method, err, errkind.Of(err))
			}
			if n := client.Requests(); int64(n) != c.requests {
				t.Errorf("%s: %d requests", c.method, n)
			}
		})
	}
}

// cutting ends the body of the first answer in its middle.
type cutting struct {
	http.RoundTripper
	done *bool
}

func (c cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil && !*c.done {
		*c.done = true
		resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 3), iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return resp, err
}
