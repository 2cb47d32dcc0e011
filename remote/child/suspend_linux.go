package child

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
	xterm "golang.org/x/term"
)

// FollowSuspension stops this process when ssh suspends itself after ~^Z, so that the shell, which waits for both, gets the
// terminal back. The shell resumes both. ssh restores a terminal mode with signals before it suspends itself; if another
// process stops ssh, the mode stays, and nothing happens here. It ends with ssh.
func FollowSuspension(p *os.Process, stdin io.Reader) {
	in, ok := stdin.(*os.File)
	if !ok || !xterm.IsTerminal(int(in.Fd())) {
		return
	}
	go func() {
		for {
			err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil { // it has ended
				return
			}
			now, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
			// ssh may have been resumed, or be ending after restoring the terminal: stopping then would never end.
			if stopped(p) && err == nil && now.Lflag&unix.ISIG != 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // it is sent to this process
			}
		}
	}()
}

// stopped reports whether a child is stopped, and clears that report.
func stopped(p *os.Process) bool {
	var info unix.Siginfo
	return unix.Waitid(unix.P_PID, p.Pid, &info, unix.WSTOPPED|unix.WNOHANG, nil) == nil && info.Signo != 0
}
