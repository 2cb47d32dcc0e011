// Package detach starts programs that outlive their parent: in their own session, without its terminal.
package detach

import (
	"os"
	"os/exec"
)

// Process is a started program.
type Process struct {
	PID    int
	Exited <-chan struct{} // closed when it has ended

	process *os.Process
	err     error
}

// Start starts argv without standard input. Its output goes to log; nil: discarded. env nil: this process's; dir empty: the
// current directory.
func Start(argv, env []string, dir string, log *os.File) (*Process, error) {
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // it lives on without its starter: no context ends it
	cmd.Env, cmd.Dir, cmd.SysProcAttr = env, dir, session()
	if log != nil { // otherwise the fields would hold a nil *os.File, which is not a nil interface
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

// Err is nil for exit code 0. Valid only after Exited.
func (p *Process) Err() error { return p.err }

// Kill kills it and waits until it has ended.
func (p *Process) Kill() {
	_ = p.process.Kill() // it may have ended already
	<-p.Exited
}
