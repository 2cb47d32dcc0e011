package local

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
)

// ErrKilled is the cause of every failure of a client that has died.
var ErrKilled = errors.New("the process was killed")

// Crash makes a client die at its N-th request: before it is sent, or after Azure has carried it out and before the
// answer is read. From then on nothing goes through, as with a killed process.
type Crash struct {
	N     int    // 0: it lives, and is only counted
	After bool   // it was carried out
	Die   func() // ends what else the process does; may be nil

	mu   sync.Mutex
	seen int
	dead bool
}

// Final is a failure that is not tried again.
type Final struct{ Cause error }

func (f Final) Error() string { return f.Cause.Error() }

// Unwrap gives errors.Is the cause.
func (f Final) Unwrap() error { return f.Cause }

// NonRetriable tells the pipeline.
func (Final) NonRetriable() {}

// Seen is how many requests there were.
func (c *Crash) Seen() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

func (c *Crash) see(*http.Request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dead {
		c.seen++
		if c.seen != c.N || c.After {
			return nil
		}
	}
	return c.died()
}

func (c *Crash) afterwards(*http.Request, *http.Response) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.N > 0 && c.seen >= c.N && c.After {
		return c.died()
	}
	return nil
}

// died is the failure of a dead process, which tries nothing.
func (c *Crash) died() error {
	c.dead = true
	if c.Die != nil {
		c.Die()
	}
	return Final{ErrKilled}
}

// Through is what a client that crashes has for a transport.
func (c *Crash) Through(next http.RoundTripper) http.RoundTripper {
	return Tap{RoundTripper: next, See: c.see, Afterwards: c.afterwards}
}

// Dying is a client that crashes.
func (c *Crash) Dying(o *azure.Options) {
	o.HTTP = &http.Client{Transport: c.Through(o.HTTP.Transport)}
}

// AtEveryRequest runs do in virtual time with a client that dies at request 1, 2, … until do succeeds, both before the
// request is sent and after it was carried out, and calls check each time it died. prepare, which may be nil, comes first.
func AtEveryRequest(t *testing.T, prepare func(*testing.T, *Azure), do func(*testing.T, *azure.Client) error, check func(*testing.T, *Azure)) {
	t.Helper()
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			survived := false
			t.Run(fmt.Sprintf("request %d, carried out %v", n, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := New(t, emulator.Options{})
					if prepare != nil {
						prepare(t, a)
					}
					if err := do(t, a.Client((&Crash{N: n, After: after}).Dying)); err == nil {
						survived = true
						return
					} else if !errors.Is(err, ErrKilled) {
						t.Fatalf("it did not die, but failed: %v", err)
					}
					check(t, a)
				})
			})
			if survived || t.Failed() {
				if n < 5 {
					t.Errorf("only %d requests", n)
				}
				break
			}
		}
	}
}
