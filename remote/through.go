package remote

import (
	"context"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
)

// DialFrom opens a TCP connection from the VM to an address as seen from the VM, such as "localhost:5432". Its error is
// ErrLost when the connection to the VM failed.
func (c *Client) DialFrom(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := c.ssh.DialContext(ctx, "tcp", addr)
	if err == nil {
		return conn, nil
	}
	fail := func(kind errkind.Kind, err error) error {
		return &errkind.Error{Kind: kind, Op: "connect to", Resource: addr + " from " + c.host.name(), Class: ErrConnection, Err: err}
	}
	if refused, ok := errors.AsType[*ssh.OpenChannelError](err); ok {
		if refused.Reason == ssh.Prohibited {
			return nil, fail(errkind.Permission, errors.New("the VM's SSH server does not allow forwards"))
		}
		return nil, fail(errkind.Unreachable, errors.New(refused.Message))
	}
	if ctx.Err() != nil {
		return nil, fail(errkind.Of(context.Cause(ctx)), context.Cause(ctx))
	}
	return nil, fail(errkind.Unreachable, ErrLost)
}

// Stay returns ErrLost when the connection has ended or the VM stops answering (Host.Limits). When ctx ends, it returns the
// cause.
func (c *Client) Stay(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go c.watch(ctx, cancel)
	select {
	case <-c.gone:
	case <-ctx.Done():
		if cause := context.Cause(ctx); !errors.Is(cause, errSilent) {
			return cause
		}
	}
	return c.host.failure(errkind.Unreachable, ErrLost)
}
