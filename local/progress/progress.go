// Package progress reports the progress of a long operation as a sequence of stages.
// It only emits events; the caller displays them (see Sink).
package progress

import (
	"errors"
	"sync"
	"time"
)

// Stage describes one step of an operation.
type Stage struct {
	Name              string
	Description       string
	EstimatedDuration time.Duration // zero: unknown
}

// Phase is the state of a stage.
type Phase string

// The phases of a stage, in order.
const (
	Started   Phase = "started"
	Updated   Phase = "updated"
	Completed Phase = "completed"
	Failed    Phase = "failed"
	Skipped   Phase = "skipped"
)

// Event is one change in the life of a stage.
type Event struct {
	Time    time.Time // UTC
	Phase   Phase
	Stage   Stage
	Index   int    // from 1
	Total   int    // number of stages; 0: unknown
	Message string // what is in progress, or why it failed
	Elapsed time.Duration
}

// Sink receives events in order, one at a time. A nil Sink discards them.
type Sink func(Event)

// ErrNoStage is returned when no stage was started before Complete, Fail or Update.
var ErrNoStage = errors.New("no stage has been started")

// Display tracks the stages of one operation. Create it with New; it is safe for concurrent use. A nil Display shows
// nothing.
type Display struct {
	mu      sync.Mutex
	sink    Sink
	total   int
	index   int
	current *Stage
	began   time.Time
}

// New returns a Display of totalStages stages (0: unknown) that reports to sink.
func New(totalStages int, sink Sink) *Display {
	return &Display{sink: sink, total: totalStages}
}

// StartStage starts a stage. A running one is completed first.
func (d *Display) StartStage(s Stage) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil {
		d.emit(Completed, "")
	}
	d.index++
	d.current, d.began = &s, time.Now()
	d.emit(Started, s.Description)
}

// Update reports what the current stage is doing.
func (d *Display) Update(message string) error { return d.report(Updated, message) }

// CompleteStage ends the current stage successfully.
func (d *Display) CompleteStage() error { return d.report(Completed, "") }

// SkipStage ends the current stage as skipped, with the reason.
func (d *Display) SkipStage(reason string) error { return d.report(Skipped, reason) }

// FailStage ends the current stage as failed, with the reason.
func (d *Display) FailStage(message string) error { return d.report(Failed, message) }

func (d *Display) report(p Phase, message string) error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current == nil {
		return ErrNoStage
	}
	d.emit(p, message)
	return nil
}

// emit must be called with the lock held and a current stage.
func (d *Display) emit(p Phase, message string) {
	now := time.Now()
	e := Event{
		Time: now.UTC(), Phase: p, Stage: *d.current, Index: d.index, Total: d.total,
		Message: message, Elapsed: now.Sub(d.began),
	}
	if p != Started && p != Updated {
		d.current = nil
	}
	if d.sink != nil {
		d.sink(e)
	}
}
