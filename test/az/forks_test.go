//go:build az

package az_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// forks is the process that has az's libraries loaded and becomes az, again and again.
type forks struct{ address string }

func startForks(t *testing.T) *forks {
	t.Helper()
	f := &forks{filepath.Join(t.TempDir(), "az")}
	cmd := exec.Command("./az-forks", f.address)
	cmd.Env = append(os.Environ(), "PYTHONWARNINGS=ignore")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("az-forks says %q: %v", line, err)
	}
	return f
}

// run is a call of az: what it printed, and its exit code.
func (f *forks) run(ctx context.Context, dir, program string, args, environ []string) (r result, err error) {
	if program, err = exec.LookPath(program); err != nil {
		return r, err
	}
	env := map[string]string{}
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	var names [2]string
	for i := range names {
		file, err := os.CreateTemp(dir, "az-")
		if err != nil {
			return r, err
		}
		if err := file.Close(); err != nil {
			return r, err
		}
		names[i] = file.Name()
	}
	call, err := json.Marshal(map[string]any{"program": program, "args": args, "env": env, "out": names[0], "err": names[1]})
	if err != nil {
		return r, err
	}
	conn, err := net.Dial("unix", f.address)
	if err != nil {
		return r, err
	}
	defer func() { _ = conn.Close() }() // all was said
	if _, err := conn.Write(append(call, '\n')); err != nil {
		return r, err
	}
	lines := bufio.NewReader(conn)
	pid, err := numberOn(lines)
	if err != nil {
		return r, err
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // a call that hangs
	defer stop()
	if r.code, err = numberOn(lines); err != nil {
		return r, err
	}
	var said [2][]byte
	for i, name := range names {
		if said[i], err = os.ReadFile(name); err != nil {
			return r, err
		}
	}
	r.out, r.err = string(said[0]), string(said[1])
	if ctx.Err() != nil {
		return r, fmt.Errorf("it hung, saying %q: %w", bytes.Join(said[:], nil), ctx.Err())
	}
	return r, nil
}

func numberOn(lines *bufio.Reader) (int, error) {
	line, err := lines.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(line))
}
