//go:build unix && !linux

package isolation

import (
	"errors"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// ErrNoNamespaces is the answer of systems other than Linux to what isolation needs.
var ErrNoNamespaces = errors.New("namespaces exist on Linux only")

// Isolate is for Linux only.
func Isolate(wire.Boot) error { return ErrNoNamespaces }

// HideProcess has nothing to hide from.
func HideProcess() error { return nil }

// ConfineRoot is for Linux only.
func ConfineRoot() error { return ErrNoNamespaces }
