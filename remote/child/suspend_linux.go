package child

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
	xterm "golang.org/x/term"
)

// FollowSuspension stops this process when ssh suspends itself, which it does after ~^Z, so that the shell that waits for
// both takes the terminal back. The shell lets both go on. ssh gives back a terminal whose keys send signals, whatever
// else the shell had made of it meanwhile; when somebody else stops it, it does not, and then nothing happens here. It
// ends with ssh.
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
			// By now it may go on, and have given the terminal back because it ends: to stop then would be for ever.
			if stopped(p) && err == nil && now.Lflag&unix.ISIG != 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // it works on oneself
			}
		}
	}()
}

// stopped reports whether a child stands still, and forgets that it was said to.
func stopped(p *os.Process) bool {
	var info unix.Siginfo
	return unix.Waitid(unix.P_PID, p.Pid, &info, unix.WSTOPPED|unix.WNOHANG, nil) == nil && info.Signo != 0
}
