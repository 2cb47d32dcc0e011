package keys

import (
	"context"
	"errors"
	"io/fs"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// Key is a key pair on this machine.
type Key = keypair.Key

// Read is keypair.Read with this package's error class; an absent key is NotFound.
func Read(ctx context.Context, path, agentSocket string) (Key, error) {
	k, err := keypair.Read(ctx, path, agentSocket)
	return k, unreadable(path, err)
}

// Public is keypair.ReadPublic with this package's error class; an absent key is NotFound.
func Public(path string) (Key, error) {
	k, err := keypair.ReadPublic(path)
	return k, unreadable(path, err)
}

// unreadable wraps keypair's error without repeating the path.
func unreadable(path string, err error) error {
	e, ok := errors.AsType[*errkind.Error](err)
	if !ok {
		return err
	}
	own := *e
	own.Op, own.Resource, own.Class = "read key", path, ErrRotation
	if errors.Is(err, fs.ErrNotExist) {
		own.Kind = errkind.NotFound
	}
	return &own
}

// ErrRotation is the class of this package's failures, for errors.Is. errkind.Of gives their kind.
var ErrRotation = errors.New("key rotation failed")

// ErrVMs is the class for a completed rotation that failed on some VMs; their results have the reasons.
var ErrVMs = errors.New("not every VM has the new key")

func keyError(op, resource string, err error) error {
	kind := errkind.Of(err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind = errkind.NotFound
	case kind == errkind.Unknown:
		kind = errkind.Invalid
	}
	return &errkind.Error{Kind: kind, Op: op, Resource: resource, Class: ErrRotation, Err: err}
}
