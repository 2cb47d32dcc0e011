package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
)

// The intervals between connection attempts while waiting for a host: short, to notice a restored network at once, then
// longer, to spare a machine that stays away. A Via route costs more per attempt.
const (
	firstKnock  = 100 * time.Millisecond
	firstKnocks = 10 * time.Second // how long the first interval is used
	lastKnock   = time.Second
	tunnelKnock = time.Second
	knockLasts  = 5 * time.Second // the limit for one attempt
)

// knock opens connections until an SSH server answers on one. Each has its own timeout, so that one sent into a dead network
// does not delay the next. When ctx ends, the error is the last attempt's; when the caller may not use the route, it ends
// earlier. report receives each failure.
func (h Host) knock(ctx context.Context, report func(error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan error)
	try := func() {
		one, done := context.WithTimeout(ctx, knockLasts)
		defer done()
		err := h.greeted(one)
		select {
		case answers <- err:
		case <-ctx.Done():
		}
	}
	last := h.failure(errkind.Unreachable, errors.New("it does not answer"))
	interval := firstKnock
	if h.Via != nil {
		interval = tunnelKnock
	}
	go try()
	began := time.Now()
	next := time.NewTimer(interval)
	defer next.Stop()
	open := 1
	for {
		select {
		case err := <-answers:
			open--
			if err == nil || h.hopeless(err) {
				return err
			}
			if ctx.Err() == nil {
				last = err
				report(err)
			}
		case <-next.C:
			if h.Via == nil || open == 0 {
				open++
				go try()
			}
			if h.Via == nil && time.Since(began) > firstKnocks {
				interval = min(lastKnock, interval*5/4)
			}
			next.Reset(interval)
		case <-ctx.Done():
			return last
		}
	}
}

// greeted opens a connection and waits for the SSH greeting.
func (h Host) greeted(ctx context.Context) error {
	conn, _, err := h.open(ctx)
	if err != nil {
		return h.wayFailed(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if d, ok := ctx.Deadline(); ok {
		_ = conn.SetReadDeadline(d) // closing it also ends the read
	}
	var greeting [4]byte
	_, err = io.ReadFull(conn, greeting[:])
	switch {
	case err != nil && ctx.Err() != nil, isTimeout(err):
		return h.failure(errkind.Unreachable, errors.New("somebody answers, but does not speak SSH"))
	case err != nil:
		return h.classify(err)
	case !strings.HasPrefix(string(greeting[:]), "SSH-"):
		return h.failure(errkind.Unreachable, errors.New("who answers does not speak SSH"))
	}
	return nil
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}
