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

// How far apart connections are tried while a host is waited for. A network that is back shall be noticed at once,
// and a machine that stays away not be pestered. A way through others costs them more.
const (
	firstKnock  = 100 * time.Millisecond
	firstKnocks = 10 * time.Second // as long it stays at that
	lastKnock   = time.Second
	tunnelKnock = time.Second
	knockLasts  = 5 * time.Second // one
)

// knock opens connections until an SSH server answers at the other end of one. Each is given up on its own, so that one
// that was sent into a dead network does not keep the next from being tried. When ctx ends the error is what the last
// one said, and when the way is not open to the caller it ends before that. report hears of each failure.
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

// greeted opens a connection and waits until the other end says that it speaks SSH.
func (h Host) greeted(ctx context.Context) error {
	conn, _, err := h.open(ctx)
	if err != nil {
		return h.wayFailed(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if d, ok := ctx.Deadline(); ok {
		_ = conn.SetReadDeadline(d) // closing it ends the reading, too
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
