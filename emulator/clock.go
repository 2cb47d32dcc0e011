package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Clock is what time it is in the emulated cloud. Tokens and certificates live in wall time.
type Clock struct {
	Now   time.Time     `json:"now"`   // UTC
	Ahead time.Duration `json:"ahead"` // of wall time, in nanoseconds
}

// ErrPast is returned when the cloud's time is to go back.
var ErrPast = errors.New("the emulator's time does not go back")

// Clock tells the emulated cloud's time.
func (e *Emulator) Clock() Clock {
	now, ahead := e.arm.Clock()
	return Clock{Now: now.UTC(), Ahead: ahead}
}

// Advance moves the emulated cloud's time forward: what was to happen meanwhile has happened, each thing at its time.
// Tokens are not concerned.
func (e *Emulator) Advance(d time.Duration) { e.arm.Advance(d) }

// SetClock is Advance to a time. The error is ErrPast when that has been.
func (e *Emulator) SetClock(t time.Time) error {
	by := t.Sub(e.Clock().Now)
	if by < 0 {
		return fmt.Errorf("set the clock to %s: %w: it is %s; a reset takes it to the present", t.UTC().Format(time.RFC3339), ErrPast, e.Clock().Now.Format(time.RFC3339))
	}
	if t.After(time.Now().Add(maxAhead)) {
		return fmt.Errorf("set the clock to %s: %w", t.UTC().Format(time.RFC3339), errFar)
	}
	e.Advance(by)
	return nil
}

// maxAhead is how far the cloud's time may be ahead: what a duration can hold ends at 292 years.
const maxAhead = 100 * 365 * 24 * time.Hour

var errFar = errors.New("the emulator's time can be 100 years ahead at most")

// timeCommands are the daemon's commands about time.
func (d *daemon) timeCommands(r *http.Request, what string) (any, error) {
	switch r.Method + " " + what {
	case "GET clock":
		return d.e.Clock(), nil
	case "POST clock":
		var in struct {
			Advance string
			Set     time.Time
		}
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&in); err != nil {
			return nil, fmt.Errorf("clock: %w", err)
		}
		if !in.Set.IsZero() {
			if err := d.e.SetClock(in.Set); err != nil {
				return nil, err
			}
			return d.e.Clock(), nil
		}
		by, err := time.ParseDuration(in.Advance)
		if err != nil || by < 0 {
			return nil, fmt.Errorf("clock: %q is not a duration to move forward by", in.Advance)
		}
		if err := d.e.SetClock(d.e.Clock().Now.Add(by)); err != nil {
			return nil, err
		}
		return d.e.Clock(), nil
	case "GET power":
		return d.e.PowerHistory(r.URL.Query().Get("vm")), nil
	}
	return nil, errNoCommand
}

// ReadClock tells the time of the emulator that serves a directory.
func ReadClock(ctx context.Context, dir string) (Clock, error) {
	var c Clock
	err := control(ctx, dir, http.MethodGet, "clock", nil, &c)
	return c, err
}

// Advance moves the time of the emulator that serves a directory forward, and returns what it is then.
func Advance(ctx context.Context, dir string, d time.Duration) (Clock, error) {
	var c Clock
	err := control(ctx, dir, http.MethodPost, "clock", map[string]string{"advance": d.String()}, &c)
	return c, err
}

// SetClock moves the time of the emulator that serves a directory forward to t.
func SetClock(ctx context.Context, dir string, t time.Time) (Clock, error) {
	var c Clock
	err := control(ctx, dir, http.MethodPost, "clock", map[string]time.Time{"set": t}, &c)
	return c, err
}
