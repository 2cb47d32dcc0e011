package app

import (
	"fmt"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/local/progress"
)

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
	show := term.NewProgress(a.Streams, a.Progress)
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
