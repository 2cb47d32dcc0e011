// Package detach starts programs that outlive the one that starts them: in a session of their own, without its terminal.
package detach

import (
	"os"
	"os/exec"
)

// Process is a program that was started.
type Process struct {
	PID    int
	Exited <-chan struct{} // closed when it has ended

	process *os.Process
	err     error
}

// Start starts argv without standard input. Its output goes to log; nil: nowhere. env nil: this process's; dir empty: where
// this process is.
func Start(argv, env []string, dir string, log *os.File) (*Process, error) {
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // it lives on without its starter: no context ends it
	cmd.Env, cmd.Dir, cmd.SysProcAttr = env, dir, session()
	if log != nil { // or what the fields hold is a *os.File that is nil, and not nil
		cmd.Stdout, cmd.Stderr = log, log
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	p := &Process{PID: cmd.Process.Pid, Exited: exited, process: cmd.Process}
	go func() {
		p.err = cmd.Wait()
		close(exited)
	}()
	return p, nil
}

// Err is how it ended: nil with exit code 0. Only after Exited.
func (p *Process) Err() error { return p.err }

// Kill ends it at once and waits until it has ended.
func (p *Process) Kill() {
	_ = p.process.Kill() // it may have ended already
	<-p.Exited
}
