package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// maxOutput is how many bytes of each stream of a Run Command are kept: the last ones.
const maxOutput = 1 << 20

// RunResult is what a Run Command left.
type RunResult struct {
	Stdout, Stderr string // the last MiB of each
	ExitCode       int
}

// runCommand stores its standard input as the script and runs it, as the VM agent does.
const runCommand = `d=/var/lib/waagent/run-command/download/$(date +%s%N) && mkdir -p "$d" && chmod 700 "$d" && cd "$d" &&
cat > script.sh && chmod 700 script.sh && exec ./script.sh "$@" < /dev/null`

// Run runs a script as root and waits for it. Parameters become its arguments.
func (r *Runtime) Run(ctx context.Context, id, script string, params []string) (RunResult, error) {
	m, err := r.find(id)
	if err != nil {
		return RunResult{}, fmt.Errorf("run command: %w", err)
	}
	g, err := m.booted(ctx)
	if err != nil {
		return RunResult{}, fmt.Errorf("run command on %s: %w", id, err)
	}
	if !strings.HasPrefix(script, "#!") {
		script = "#!/bin/sh\n" + script
	}
	argv := append([]string{"/bin/sh", "-c", runCommand, "script.sh"}, params...)
	p, err := g.Exec(ctx, "root", wire.Exec{Argv: argv})
	if err != nil {
		return RunResult{}, fmt.Errorf("run command on %s: %w", id, err)
	}
	defer p.Close()
	stop := context.AfterFunc(ctx, func() {
		_ = p.Signal("KILL")
		p.Pipes.Close()
	})
	defer stop()
	var stdout, stderr tail
	var streams sync.WaitGroup
	streams.Go(func() {
		_, _ = io.WriteString(p.Pipes.Stdin, script)
		p.Pipes.Stdin.Close()
	})
	streams.Go(func() { _, _ = io.Copy(&stdout, p.Pipes.Stdout) })
	streams.Go(func() { _, _ = io.Copy(&stderr, p.Pipes.Stderr) })
	exit, err := p.Wait(ctx)
	if err != nil {
		return RunResult{}, fmt.Errorf("run command on %s: %w", id, err)
	}
	streams.Wait()
	return RunResult{Stdout: stdout.String(), Stderr: stderr.String(), ExitCode: exit.Code}, nil
}

// tail keeps the last maxOutput bytes written to it.
type tail struct{ kept bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	n, err := t.kept.Write(p)
	if surplus := t.kept.Len() - maxOutput; surplus > 0 {
		t.kept.Next(surplus)
	}
	return n, err
}

func (t *tail) String() string { return t.kept.String() }
