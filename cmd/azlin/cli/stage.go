package cli

import (
	"fmt"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/local/progress"
)

// showing shows how far a call is.
func (a *app) showing(stage, description string, call func(report func(step string)) error) (err error) {
	a.stage(stage, description, func(report func(string)) string {
		if err = call(report); err != nil {
			return err.Error()
		}
		return ""
	})
	return err
}

// stage is showing for a call that says in its own words what has failed; empty: nothing.
func (a *app) stage(name, description string, call func(report func(step string)) (failed string)) {
	show := term.NewProgress(a.streams, a.progress)
	defer show.Close()
	display := progress.New(1, show.Sink)
	display.StartStage(progress.Stage{Name: name, Description: description})
	if failed := call(func(step string) { _ = display.Update(step) }); failed != "" { // the stage is open
		_ = display.FailStage(failed) // as above
		return
	}
	_ = display.CompleteStage() // as above
}

// failedOf says how many of several failed; empty when none has.
func failedOf(failed, total int) string {
	if failed == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d failed", failed, total)
}
