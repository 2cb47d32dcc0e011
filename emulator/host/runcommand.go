package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
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
	var theirs, ours [3]*os.File
	for i := range theirs {
		read, write, err := os.Pipe()
		if err != nil {
			return RunResult{}, fmt.Errorf("run command on %s: %w", id, err)
		}
		theirs[i], ours[i] = write, read
		if i == 0 {
			theirs[i], ours[i] = read, write
		}
		defer read.Close()
		defer write.Close()
	}
	argv := append([]string{"/bin/sh", "-c", runCommand, "script.sh"}, params...)
	p, err := g.Exec(ctx, "root", wire.Exec{Argv: argv}, theirs[:]...)
	if err != nil {
		return RunResult{}, fmt.Errorf("run command on %s: %w", id, err)
	}
	defer p.Close()
	for _, f := range theirs {
		f.Close()
	}
	stop := context.AfterFunc(ctx, func() {
		_ = p.Signal("KILL")
		for _, f := range ours {
			f.Close()
		}
	})
	defer stop()
	var stdout, stderr tail
	var streams sync.WaitGroup
	streams.Go(func() {
		_, _ = io.WriteString(ours[0], script)
		ours[0].Close()
	})
	streams.Go(func() { _, _ = io.Copy(&stdout, ours[1]) })
	streams.Go(func() { _, _ = io.Copy(&stderr, ours[2]) })
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
