//go:build unix

package agent

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
)

// reaper starts processes and is the only one in its process that waits for any: pid 1 must also collect
// orphans, and whoever waits for "any child" would otherwise steal the exit status of a command.
type reaper struct {
	mu       sync.Mutex
	commands map[int]chan syscall.WaitStatus
}

func newReaper() *reaper { return &reaper{commands: map[int]chan syscall.WaitStatus{}} }

// run collects children until the process ends.
func (r *reaper) run() {
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	for range died {
		r.collect()
	}
}

func (r *reaper) collect() {
	r.mu.Lock() // not between a start and its entry in the table
	defer r.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if done, ok := r.commands[pid]; ok {
			done <- status
			delete(r.commands, pid)
		}
	}
}

// command is a process that somebody waits for.
type command struct {
	pid  int
	done <-chan syscall.WaitStatus
}

// start runs a program. prepare, where not nil, runs on the thread that forks, which is thrown away afterwards:
// what it changes (a mount namespace, a system call filter) is the child's alone.
func (r *reaper) start(path string, argv []string, attr *os.ProcAttr, prepare func() error) (command, error) {
	if prepare == nil {
		return r.fork(path, argv, attr)
	}
	type result struct {
		command
		err error
	}
	started := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := prepare(); err != nil {
			started <- result{err: err}
			return
		}
		c, err := r.fork(path, argv, attr)
		started <- result{c, err}
	}()
	res := <-started
	return res.command, res.err
}

func (r *reaper) fork(path string, argv []string, attr *os.ProcAttr) (command, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := os.StartProcess(path, argv, attr)
	if err != nil {
		return command{}, fmt.Errorf("start %s: %w", path, err)
	}
	pid := p.Pid
	done := make(chan syscall.WaitStatus, 1)
	r.commands[pid] = done
	_ = p.Release() // collect waits for it
	return command{pid: pid, done: done}, nil
}

// signal sends to the command's process group, unless it has ended: its number may be another's by now.
func (r *reaper) signal(c command, sig syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, running := r.commands[c.pid]; running {
		_ = syscall.Kill(-c.pid, sig)
	}
}

// killAll ends the commands that run, with their process groups.
func (r *reaper) killAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for pid := range r.commands {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}
