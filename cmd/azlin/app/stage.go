package app

import (
	"fmt"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/local/progress"
)

// NewProgress draws how far an operation is; nothing else is drawn until it is closed.
func (a *App) NewProgress() *term.Progress {
	again := a.waiting.Quiet()
	return term.NewProgress(a.Streams, a.Progress).OnClose(again)
}

// Working shows that something goes on that may last, until done is called.
func (a *App) Working() (done func()) { return a.waiting.Begin() }

// Showing shows how far a call is.
func (a *App) Showing(stage, description string, call func(report func(step string)) error) (err error) {
	a.Stage(stage, description, func(report func(string)) string {
		if err = call(report); err != nil {
			return err.Error()
		}
		return ""
	})
	return err
}

// Stage is showing for a call that says in its own words what has failed; empty: nothing.
func (a *App) Stage(name, description string, call func(report func(step string)) (failed string)) {
	show := a.NewProgress()
	defer show.Close()
	display := progress.New(1, show.Sink)
	display.StartStage(progress.Stage{Name: name, Description: description})
	if failed := call(func(step string) { _ = display.Update(step) }); failed != "" { // the stage is open
		_ = display.FailStage(failed) // as above
		return
	}
	_ = display.CompleteStage() // as above
}

// FailedOf says how many of several failed; empty when none has.
func FailedOf(failed, total int) string {
	if failed == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d failed", failed, total)
}
