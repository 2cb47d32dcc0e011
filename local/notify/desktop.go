package notify

import (
	"context"

	"github.com/gen2brain/beeep"
)

// showOnDesktop is the only use of a desktop library. It knows no context, so a desktop that hangs is left
// behind.
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
