package notify

import (
	"context"

	"github.com/gen2brain/beeep"
)

// showOnDesktop is the only use of a desktop library. The library supports no context, so a call that hangs is abandoned.
func showOnDesktop(ctx context.Context, message, title string) error {
	done := make(chan error, 1)
	go func() { done <- beeep.Notify(title, message, "") }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
