//go:build unix

// Package reaper starts a VM's processes and collects those that have ended, orphans among them.
package reaper

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
)

// Reaper starts processes and is the only one in its process that waits for any: pid 1 must also collect
// orphans, and whoever waits for "any child" would otherwise steal the exit status of a command.
type Reaper struct {
	mu       sync.Mutex
	commands map[int]chan syscall.WaitStatus
}

func NewReaper() *Reaper { return &Reaper{commands: map[int]chan syscall.WaitStatus{}} }

// Run collects children until the process ends.
func (r *Reaper) Run() {
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	for range died {
		r.collect()
	}
}

func (r *Reaper) collect() {
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

// Command is a process that somebody waits for.
type Command struct {
	pid  int
	Done <-chan syscall.WaitStatus
}

// Start runs a program. prepare, where not nil, runs on the thread that forks, which is thrown away afterwards:
// what it changes (a mount namespace, a system call filter) is the child's alone.
func (r *Reaper) Start(path string, argv []string, attr *os.ProcAttr, prepare func() error) (Command, error) {
	if prepare == nil {
		return r.fork(path, argv, attr)
	}
	type result struct {
		Command
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
	return res.Command, res.err
}

func (r *Reaper) fork(path string, argv []string, attr *os.ProcAttr) (Command, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := os.StartProcess(path, argv, attr)
	if err != nil {
		return Command{}, fmt.Errorf("start %s: %w", path, err)
	}
	pid := p.Pid
	done := make(chan syscall.WaitStatus, 1)
	r.commands[pid] = done
	_ = p.Release() // collect waits for it
	return Command{pid: pid, Done: done}, nil
}

// Signal sends to the command's process group, unless it has ended: its number may be another's by now.
func (r *Reaper) Signal(c Command, sig syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, running := r.commands[c.pid]; running {
		_ = syscall.Kill(-c.pid, sig)
	}
}

// KillAll ends the commands that run, with their process groups.
func (r *Reaper) KillAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for pid := range r.commands {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}
