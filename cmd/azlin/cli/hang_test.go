//go:build unix

package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/wait"
)

// hung is how long a command of a script may take. None needs as much, on a machine that has much else to do.
const hung = 90 * time.Second

// watched has this process, an azlin of a script, end with the stacks of all its goroutines on stderr when it hangs, after
// those of the emulator that it talks to. On a terminal people stay for as long as they like.
func watched() {
	if about, err := os.Stderr.Stat(); err != nil || about.Mode()&os.ModeCharDevice != 0 {
		return
	}
	time.AfterFunc(hung, func() {
		dir := filepath.Join(os.Getenv("AZLIN_CONFIG_DIR"), "emulator")
		if status, err := emulator.Read(context.Background(), dir); err == nil && status.PID > 0 {
			_ = syscall.Kill(status.PID, syscall.SIGQUIT) // it may have ended
			wait.Within(5*time.Second, func() bool { return syscall.Kill(status.PID, 0) != nil })
			if log, err := os.ReadFile(filepath.Join(dir, "emulator.log")); err == nil {
				_, _ = os.Stderr.Write(append([]byte("hung; the emulator:\n"), log...)) // nobody else to tell
			}
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGQUIT)
	})
}
