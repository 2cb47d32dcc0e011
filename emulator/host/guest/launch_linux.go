package guest

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/azlin-dev/azlin/emulator/host/agent"
)

// Launcher starts VMs. It keeps one thread for that: the kernel ends a VM when the thread that started it ends,
// so that nothing of a VM outlives a killed emulator, and the Go runtime ends threads as it likes.
type Launcher struct {
	jobs chan func()
}

// NewLauncher returns a launcher; Close ends it and, with its thread, all that it started.
func NewLauncher() *Launcher {
	l := &Launcher{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for job := range l.jobs {
			job()
		}
	}()
	return l
}

// Close ends the launcher. No Boot may be under way or follow.
func (l *Launcher) Close() { close(l.jobs) }

func (l *Launcher) start(o Options, control *os.File) (*os.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	attr := &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{null, null, null, control},
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
	if o.Boot.Isolated {
		attr.Sys.Cloneflags = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC
		inUserNamespace(attr.Sys, o.UID, o.GID)
	}
	type result struct {
		proc *os.Process
		err  error
	}
	started := make(chan result)
	l.jobs <- func() {
		p, err := startProgram(o.Boot.Isolated, attr)
		started <- result{p, err}
	}
	r := <-started
	return r.proc, r.err
}

// startTries bounds how often a VM that takes the mode of the sealed program away in this very moment can keep another VM
// from booting.
const startTries = 20

func startProgram(isolated bool, attr *os.ProcAttr) (*os.Process, error) {
	if !isolated {
		return os.StartProcess("/proc/self/exe", agent.InitArgv(), attr)
	}
	for try := 1; ; try++ {
		path, err := program() // sets the mode
		if err != nil {
			return nil, err
		}
		p, err := os.StartProcess(path, agent.InitArgv(), attr)
		if !errors.Is(err, fs.ErrPermission) || try == startTries {
			return p, err
		}
	}
}
