package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// retried dials until it succeeds, or fails for another reason than a connection that ended.
func (h Host) retried(ctx context.Context, dial func() (*ssh.Client, error)) (*ssh.Client, error) {
	attempts := dialAttempts
	if h.Via != nil {
		attempts = tunnelAttempts
	}
	for attempt := 1; ; attempt++ {
		client, err := dial()
		switch {
		case err == nil || !broken(err) && !errors.Is(err, errNoBanner) || ctx.Err() != nil:
			return client, err
		case attempt == attempts && errors.Is(err, errNoBanner):
			return nil, err
		case attempt == attempts:
			return nil, h.failure(errkind.Unreachable, &because{fmt.Sprintf("the connection ended before the login, %d times", attempt), err})
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(backOff(attempt)):
		}
	}
}

// rootCause removes the part of the error that names h.
func rootCause(err error) error {
	if e, ok := errors.AsType[*errkind.Error](err); ok && e.Err != nil {
		return e.Err
	}
	return err
}

// because replaces an error whose text does not help the user.
type because struct {
	text  string
	cause error
}

func (e *because) Error() string { return e.text }

func (e *because) Unwrap() error { return e.cause }

// dial connects and signs in, once.
func (h Host) dial(ctx context.Context, config ssh.ClientConfig, letGo func()) (*ssh.Client, error) {
	var shown ssh.PublicKey // for the error message
	config.HostKeyCallback = func(name string, remote net.Addr, key ssh.PublicKey) error {
		shown = key
		return ssh.FixedHostKey(h.HostKey)(name, remote, key)
	}
	client, err := h.handshake(ctx, &config, letGo)
	switch {
	case err == nil:
		return client, nil
	case shown != nil && !keypair.Same(shown, h.HostKey):
		return nil, h.otherKey(shown)
	}
	return nil, err
}

// otherKey is the error when a machine shows another host key than h's.
func (h Host) otherKey(shown ssh.PublicKey) error {
	return h.failure(errkind.HostKey, fmt.Errorf("expected host key %s, the machine showed %s",
		ssh.FingerprintSHA256(h.HostKey), ssh.FingerprintSHA256(shown)))
}

// handshake connects and signs in with the configuration. letGo is called on a timeout, to end what the configuration may be
// waiting for.
func (h Host) handshake(ctx context.Context, config *ssh.ClientConfig, letGo func()) (*ssh.Client, error) {
	leave, err := h.Dials.enter(ctx, h.key())
	if err != nil {
		return nil, h.failure(errkind.Of(err), err)
	}
	defer leave()
	conn, addr, err := h.connect(ctx)
	if err != nil {
		return nil, err
	}
	limit := h.Limits.handshake()
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// ssh.NewClientConn does not support a context: closing the connection ends it.
	stop := context.AfterFunc(bounded, func() {
		_ = conn.Close()
		letGo()
	})
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, config)
	if err == nil && stop() {
		return ssh.NewClient(c, chans, reqs), nil
	}
	stop()
	_ = conn.Close() // the handshake error says why
	switch {
	case ctx.Err() != nil:
		return nil, h.failure(cmp.Or(errkind.Of(context.Cause(ctx)), errkind.Unreachable), fmt.Errorf("no SSH handshake: %w", context.Cause(ctx)))
	case bounded.Err() != nil:
		return nil, h.failure(errkind.Unreachable, fmt.Errorf("somebody answers, but there is no SSH handshake within %s", limit))
	}
	return nil, h.classify(err)
}

// connect opens a connection within its time limit. Its error is ready for the caller.
func (h Host) connect(ctx context.Context) (net.Conn, string, error) {
	bounded, cancel := context.WithTimeout(ctx, h.Limits.connect())
	defer cancel()
	conn, addr, err := h.open(bounded)
	if err == nil {
		return conn, addr, nil
	}
	if ctx.Err() != nil && errkind.Of(context.Cause(ctx)) == errkind.Cancelled {
		return nil, addr, h.failure(errkind.Cancelled, context.Cause(ctx))
	}
	return nil, addr, h.wayFailed(err)
}

func (h Host) classify(err error) error {
	switch {
	case strings.Contains(err.Error(), "no common algorithm for host key"):
		return h.failure(errkind.HostKey, fmt.Errorf("the machine no longer has its %s host key: %w", h.HostKey.Type(), err))
	case strings.Contains(err.Error(), "unable to authenticate"):
		return h.failure(errkind.Permission, &because{ErrKeyRefused.Error() + " for user " + h.user(), errors.Join(ErrKeyRefused, err)})
	}
	if e, ok := errors.AsType[*errkind.Error](err); ok && h.Via != nil && e.Kind == errkind.Unreachable {
		err = &errkind.Error{Class: errNoBanner, Err: e}
	}
	return h.failure(errkind.Unreachable, err)
}
