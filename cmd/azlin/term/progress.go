package term

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/progress"
)

// ProgressMode is how progress is shown.
type ProgressMode string

// The ways to show progress. Auto is Live on a terminal and Plain elsewhere.
const (
	ProgressAuto  ProgressMode = "auto"
	ProgressLive  ProgressMode = "live"
	ProgressPlain ProgressMode = "plain"
	ProgressJSON  ProgressMode = "json"
	ProgressNone  ProgressMode = "none"
)

// ProgressModes lists what --progress takes.
func ProgressModes() []string {
	return []string{string(ProgressAuto), string(ProgressLive), string(ProgressPlain), string(ProgressJSON), string(ProgressNone)}
}

// ParseProgressMode checks the value of --progress.
func ParseProgressMode(s string) (ProgressMode, error) {
	if !slices.Contains(ProgressModes(), s) {
		return "", errkind.New(errkind.Invalid, "progress mode %q: use one of %s", s, strings.Join(ProgressModes(), ", "))
	}
	return ProgressMode(s), nil
}

// Progress draws the stages of an operation on standard error. Close it before anything else is written
// there.
type Progress struct {
	Sink progress.Sink

	close func()
}

// Close ends the drawing and leaves the cursor on a fresh line.
func (p *Progress) Close() { p.close() }

// OnClose has f called when the drawing has ended.
func (p *Progress) OnClose(f func()) *Progress {
	before := p.close
	p.close = func() { before(); f() }
	return p
}

// NewProgress returns a Progress for s in the given mode.
func NewProgress(s Streams, mode ProgressMode) *Progress {
	if mode == ProgressAuto {
		mode = ProgressPlain
		if s.ErrTTY && !s.Dumb {
			mode = ProgressLive
		}
	}
	nothing := func() {}
	switch mode {
	case ProgressNone:
		return &Progress{close: nothing}
	case ProgressJSON:
		return &Progress{Sink: jsonProgress(s.Err), close: nothing}
	case ProgressLive:
		l := newLive(s)
		return &Progress{Sink: l.event, close: l.stop}
	}
	return &Progress{Sink: plainProgress(s.Text(s.Err)), close: nothing}
}

func plainProgress(w io.Writer) progress.Sink {
	last := ""
	return func(e progress.Event) {
		line := fmt.Sprintf("%s %s", position(e), e.Stage.Name)
		switch e.Phase {
		case progress.Started, progress.Updated:
			if e.Message == "" || e.Message == last {
				return
			}
			line += ": " + e.Message
		case progress.Completed:
			line += ": done in " + seconds(e.Elapsed)
		case progress.Skipped:
			line += ": skipped, " + e.Message
		case progress.Failed:
			line += ": failed after " + seconds(e.Elapsed) + ": " + e.Message
		}
		last = e.Message
		fmt.Fprintln(w, Clean(line)) // nowhere to report a broken stderr to
	}
}

func jsonProgress(w io.Writer) progress.Sink {
	enc := json.NewEncoder(w)
	return func(e progress.Event) {
		_ = enc.Encode(struct { // nowhere to report a broken stderr to
			Time    time.Time      `json:"time"`
			Stage   string         `json:"stage"`
			Phase   progress.Phase `json:"phase"`
			Index   int            `json:"index"`
			Total   int            `json:"total,omitempty"`
			Message string         `json:"message,omitempty"`
			Elapsed float64        `json:"elapsed_seconds"`
		}{e.Time, e.Stage.Name, e.Phase, e.Index, e.Total, e.Message, e.Elapsed.Seconds()})
	}
}

func position(e progress.Event) string {
	if e.Total == 0 {
		return fmt.Sprintf("[%d]", e.Index)
	}
	return fmt.Sprintf("[%d/%d]", e.Index, e.Total)
}

func seconds(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

// live redraws one line for the running stage and leaves one line for each that has ended.
type live struct {
	w       io.Writer
	streams Streams
	color   bool
	width   int

	mu      sync.Mutex
	current *progress.Event
	message string
	began   time.Time
	frame   int
	done    chan struct{}
	ended   sync.WaitGroup
	once    sync.Once
}

const redrawEvery = 100 * time.Millisecond

func newLive(s Streams) *live {
	l := &live{w: s.Text(s.Err), streams: s, color: s.Color, width: s.Width, done: make(chan struct{})}
	l.ended.Go(l.loop)
	return l
}

func (l *live) loop() {
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
			l.mu.Lock()
			l.frame++
			l.draw()
			l.mu.Unlock()
		}
	}
}

func (l *live) stop() {
	l.once.Do(func() {
		close(l.done)
		l.ended.Wait()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.current != nil {
			l.clear()
		}
	})
}

func (l *live) event(e progress.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Phase {
	case progress.Started:
		l.current, l.began, l.message = &e, time.Now(), e.Message
		l.draw()
		return
	case progress.Updated:
		l.message = e.Message
		l.draw()
		return
	case progress.Completed:
		l.final(Green, "✓", e, "")
	case progress.Skipped:
		l.final(Dim, "·", e, e.Message)
	case progress.Failed:
		l.final(Red, "✗", e, e.Message)
	}
	l.current = nil
}

func (l *live) final(c Color, mark string, e progress.Event, message string) {
	l.clear()
	line := fmt.Sprintf("%s %-10s %s", c.paint(mark, l.color), Clean(e.Stage.Name), Dim.paint(seconds(e.Elapsed), l.color))
	if message != "" {
		line += "  " + Clean(message)
	}
	fmt.Fprintln(l.w, line) // nowhere to report a broken stderr to
}

func (l *live) clear() { fmt.Fprint(l.w, "\r\x1b[K") } // as above

// draw must be called with the lock held.
func (l *live) draw() {
	if l.current == nil {
		return
	}
	spinner := l.streams.spinner()
	elapsed := time.Since(l.began)
	clock := seconds(elapsed)
	if about := l.current.Stage.EstimatedDuration; about > 0 {
		clock += " of about " + about.Round(time.Second).String()
	}
	line := fmt.Sprintf("%c %-10s %s", spinner[l.frame%len(spinner)], Clean(l.current.Stage.Name), clock)
	if l.message != "" {
		line += "  " + Clean(l.message)
	}
	if l.width > 0 {
		line = runewidth.Truncate(line, l.width-1, l.streams.cut())
	}
	l.clear()
	fmt.Fprint(l.w, line) // as above
}
