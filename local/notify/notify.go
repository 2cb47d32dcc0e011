// Package notify notifies the user that something has ended, by a command, the desktop or a webhook.
// It never makes the reported job fail: a channel that does not work is a Result, not an error, and nothing waits longer
// than its timeout. No shell is involved.
package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Channel is a way of notification.
type Channel string

// The channels. Off disables notification.
const (
	Command Channel = "command" // run a program with the message as its last argument
	Desktop Channel = "desktop" // the desktop's own notifications
	Webhook Channel = "webhook" // POST JSON to an https address
	Off     Channel = "off"
)

// DefaultCommand is the default of the reference. It is skipped when it is not installed.
const DefaultCommand = "imessR"

// Config configures notification. The zero value tries DefaultCommand and then the desktop.
type Config struct {
	Command  string        // program and arguments, split at spaces; empty: DefaultCommand
	Timeout  time.Duration // of one channel; zero: 5 seconds
	Channels []Channel     // the first that works is used; empty: command, then desktop
	URL      string        // of the webhook, https (http only on this machine)
	HTTP     *http.Client  // for the webhook; nil: http.DefaultClient
	Headless bool          // there is no desktop session
}

// Result is the result of a notification.
type Result struct {
	Success bool
	Channel Channel // the one that worked, or the last that was tried; empty: none was available
	Err     error   // why the last channel failed
}

// ErrUnavailable is the reason when no channel can be used on this machine.
var ErrUnavailable = errors.New("no way to notify is available")

// Notifier sends notifications. Create it with New; it is safe for concurrent use.
type Notifier struct{ config Config }

// New returns a Notifier.
func New(c Config) *Notifier {
	c.Command = cmp.Or(c.Command, DefaultCommand)
	c.Timeout = cmp.Or(c.Timeout, 5*time.Second)
	if len(c.Channels) == 0 {
		c.Channels = []Channel{Command, Desktop}
	}
	return &Notifier{c}
}

// Send tries the channels in order until one works.
func (n *Notifier) Send(ctx context.Context, message, title string) Result {
	title = cmp.Or(title, "azlin")
	last := Result{Err: ErrUnavailable}
	for _, channel := range n.config.Channels {
		if channel == Off {
			return Result{Channel: Off, Err: ErrUnavailable}
		}
		if !n.available(channel) {
			continue
		}
		err := n.sendBy(ctx, channel, message, title)
		if err == nil {
			return Result{Success: true, Channel: channel}
		}
		last = Result{Channel: channel, Err: fmt.Errorf("notify by %s: %w", channel, err)}
	}
	return last
}

func (n *Notifier) sendBy(ctx context.Context, channel Channel, message, title string) error {
	ctx, cancel := context.WithTimeout(ctx, n.config.Timeout)
	defer cancel()
	switch channel {
	case Command:
		return n.run(ctx, message)
	case Desktop:
		return showOnDesktop(ctx, message, title)
	case Webhook:
		return n.post(ctx, message, title)
	}
	return fmt.Errorf("unknown channel %q", channel)
}

// Notify sends a message and reports whether it was sent.
func (n *Notifier) Notify(ctx context.Context, message string) bool {
	return n.Send(ctx, message, "").Success
}

// NotifyCompletion reports that a VM is ready.
func (n *Notifier) NotifyCompletion(ctx context.Context, vm, ip string) bool {
	message := fmt.Sprintf("VM %s is ready", vm)
	if ip != "" {
		message += " at " + ip
	}
	return n.Send(ctx, message, "azlin - VM ready").Success
}

// NotifyError reports a failure.
func (n *Notifier) NotifyError(ctx context.Context, message string) bool {
	return n.Send(ctx, message, "azlin - error").Success
}

// IsAvailable reports whether a channel is available. It sends nothing.
func (n *Notifier) IsAvailable() bool {
	for _, channel := range n.config.Channels {
		if channel == Off {
			return false
		}
		if n.available(channel) {
			return true
		}
	}
	return false
}

func (n *Notifier) available(channel Channel) bool {
	switch channel {
	case Command:
		_, err := n.program()
		return err == nil
	case Desktop:
		return !n.config.Headless
	case Webhook:
		return n.config.URL != ""
	}
	return false
}
