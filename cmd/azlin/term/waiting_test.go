package term_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

// drawn is a terminal that may be read while it is written to.
type drawn struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (d *drawn) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all.Write(p)
}

func (d *drawn) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all.String()
}

// TestWaitingIsShown: who waits for more than a second sees it (new-user A16), and nothing of it stays.
func TestWaitingIsShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var err drawn
		w := term.Streams{Err: &err, ErrTTY: true, ASCII: true}.Waiting("waiting")
		done, other := w.Begin(), w.Begin()
		time.Sleep(900 * time.Millisecond)
		synctest.Wait()
		if err.String() != "" {
			t.Errorf("in the first second: %q", err.String())
		}
		time.Sleep(300 * time.Millisecond)
		synctest.Wait()
		if got := err.String(); !strings.Contains(got, "waiting 1.1s") || strings.ContainsFunc(got, func(r rune) bool { return r > 127 }) {
			t.Errorf("then: %q", got)
		}
		done()
		done() // again is nothing
		again := w.Quiet()
		if !strings.HasSuffix(err.String(), "\r\x1b[K") {
			t.Errorf("what else is drawn has no line of its own: %q", err.String())
		}
		before := err.String()
		time.Sleep(time.Second)
		synctest.Wait()
		if err.String() != before {
			t.Errorf("quiet: %q", err.String())
		}
		again()
		time.Sleep(time.Second)
		synctest.Wait()
		other()
		if got := err.String(); got == before || !strings.HasSuffix(got, "\r\x1b[K") {
			t.Errorf("at the end: %q", got)
		}
	})
	for name, s := range map[string]term.Streams{"nobody looks": {}, "a dumb terminal": {ErrTTY: true, Dumb: true}} {
		w := s.Waiting("waiting")
		w.Begin()()
		w.Quiet()()
		if w != nil {
			t.Errorf("%s: something is drawn", name)
		}
	}
}

func TestASCII(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	o := term.Output{Streams: term.Streams{Out: &out, Err: &out, ASCII: true, Width: 30}, Format: term.Table}
	v := view(row{Name: "tëst"}, row{Name: strings.Repeat("x", 60)})
	v.Note = "one → two…"
	if err := o.Print(v); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.ContainsFunc(got, func(r rune) bool { return r > 127 }) || !strings.Contains(got, "t?st") || !strings.Contains(got, "xx~ ") || !strings.Contains(got, "one -> two...") {
		t.Errorf("got %q", got)
	}
	out.Reset()
	o.Format = term.JSON // for programs, whole
	if err := o.Print(v); err != nil || !strings.Contains(out.String(), "tëst") {
		t.Errorf("JSON: %q, %v", out.String(), err)
	}
}
