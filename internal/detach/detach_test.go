//go:build unix

package detach_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/internal/detach"
)

// TestStart: a program gets its arguments, environment and directory, no input, and says how it ended.
func TestStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p, err := detach.Start([]string{"/bin/sh", "-c", `echo "$1 $V $(pwd)"; cat; exit 3`, "sh", "a b"}, []string{"V=x", "PATH=" + os.Getenv("PATH")}, dir, log)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Exited
	said, err := os.ReadFile(log.Name())
	if err != nil || !strings.HasPrefix(string(said), "a b x "+dir+"\n") || p.Err() == nil || p.PID == 0 {
		t.Errorf("%q, %v; it ended with %v", said, err, p.Err())
	}
	if p, err = detach.Start([]string{"/bin/sleep", "600"}, nil, "", nil); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if p.Err() == nil {
		t.Error("it was killed, and says that all is well")
	}
	if _, err := detach.Start([]string{filepath.Join(dir, "nosuch")}, nil, "", nil); err == nil {
		t.Error("a program that is not there")
	}
}
