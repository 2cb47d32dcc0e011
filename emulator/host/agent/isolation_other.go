//go:build unix && !linux

package agent

import (
	"os"
	"syscall"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/agent/isolation"
)

func installShims() error { return isolation.ErrNoNamespaces }

func showRelease() error { return isolation.ErrNoNamespaces }

func runScoped() error { return runInit() }

func copyDisk() error { return isolation.ErrNoNamespaces }

func (m *machine) startUserAgent(account.Account) (userAgent, error) {
	return userAgent{}, isolation.ErrNoNamespaces
}

func (m *machine) setHostname(string) error { return nil }

// applyModes leaves a terminal as it is: its modes have other numbers on each system.
func applyModes(*os.File, []byte) {}

func newSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func chmod(path string, mode uint32) error { return syscall.Chmod(path, mode) }

// adoptOrphans and killDescendants have no counterpart here: what detaches itself from its session goes on.
func adoptOrphans() error { return nil }

func killDescendants() {}
