//go:build unix && !linux

package agent

import (
	"errors"
	"os"
	"syscall"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// errNoNamespaces is the answer of systems other than Linux to what isolation needs.
var errNoNamespaces = errors.New("namespaces exist on Linux only")

func isolate(wire.Boot) error { return errNoNamespaces }

func installShims() error { return errNoNamespaces }

func showRelease() error { return errNoNamespaces }

func runScoped() error { return runInit() }

func hideProcess() error { return nil }

func confineRoot() error { return errNoNamespaces }

func copyDisk() error { return errNoNamespaces }

func (m *machine) startUserAgent(account.Account) (userAgent, error) {
	return userAgent{}, errNoNamespaces
}

func (m *machine) setHostname(string) error { return nil }

// applyModes leaves a terminal as it is: its modes have other numbers on each system.
func applyModes(*os.File, []byte) {}

func newSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func chmod(path string, mode uint32) error { return syscall.Chmod(path, mode) }

// adoptOrphans and killDescendants have no counterpart here: what detaches itself from its session goes on.
func adoptOrphans() error { return nil }

func killDescendants() {}
