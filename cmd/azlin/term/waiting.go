package term

import (
	"fmt"
	"sync"
	"time"
)

// patience is how long nothing is said about work that goes on.
const patience = time.Second

// Waiting shows that something goes on, from its second second on, on a line that is gone before anything else is written. The
// zero value and nil show nothing.
type Waiting struct {
	streams Streams
	what    string

	mu          sync.Mutex
	busy, quiet int
	since, last time.Time
	frame       int
	shown       bool
	stop        chan struct{}
}

// Waiting is for work whose progress nobody reports; nil: nobody looks, or the terminal cannot draw it.
func (s Streams) Waiting(what string) *Waiting {
	if !s.ErrTTY || s.Dumb {
		return nil
	}
	return &Waiting{streams: s, what: what}
}

// Begin is called when a piece of work begins, and done when it has ended. Pieces may overlap.
func (w *Waiting) Begin() (done func()) {
	if w == nil {
		return func() {}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy++; w.busy == 1 {
		if now := time.Now(); w.since.IsZero() || now.Sub(w.last) > patience {
			w.since = now
		}
		w.stop = make(chan struct{})
		go w.loop(w.stop)
	}
	return sync.OnceFunc(w.end)
}

func (w *Waiting) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy--; w.busy == 0 {
		close(w.stop)
		w.clear()
		w.last = time.Now()
	}
}

// Quiet shows nothing until again is called, because something else is drawn.
func (w *Waiting) Quiet() (again func()) {
	if w == nil {
		return func() {}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.quiet++
	w.clear()
	return sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.quiet--
	})
}

func (w *Waiting) loop(stop chan struct{}) {
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			w.draw(stop)
		}
	}
}

func (w *Waiting) draw(stop chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-stop:
		return // it ended while this waited for the lock
	default:
	}
	took := time.Since(w.since)
	if w.quiet > 0 || took < patience {
		return
	}
	w.frame++
	spinner := w.streams.spinner()
	fmt.Fprintf(w.streams.Err, "\r\x1b[K%c %s %s", spinner[w.frame%len(spinner)], w.what, seconds(took)) // nowhere to report a broken stderr to
	w.shown = true
}

// clear must be called with the lock held.
func (w *Waiting) clear() {
	if w.shown {
		fmt.Fprint(w.streams.Err, "\r\x1b[K") // as above
		w.shown = false
	}
}
