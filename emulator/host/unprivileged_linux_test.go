package host_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// ordinary is the user id as which root repeats the tests: nobody's, for ssh wants one with a name.
const ordinary = 65534

func runUnprivileged(t *testing.T) {
	dir, err := os.MkdirTemp("", "unprivileged") //nolint:usetesting // t.TempDir is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "host.test") // the binary lies where only root can go
	copyExecutable(t, exe)
	if err := os.Chown(dir, ordinary, ordinary); err != nil {
		t.Fatal(err)
	}
	// Each VM has a copy of /etc here, which in memory takes a tenth of the time. Root's are on a disk.
	files := dir
	if memory, err := os.MkdirTemp("/dev/shm", "unprivileged"); err == nil { //nolint:usetesting // as above
		t.Cleanup(func() { os.RemoveAll(memory) })
		if err := os.Chown(memory, ordinary, ordinary); err != nil {
			t.Fatal(err)
		}
		files = memory
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.short", "-test.timeout=10m", "-test.run=^Test", "-test.parallel=8")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+files, "TMPDIR="+files, "USER=ordinary")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, out)
	}
}

func copyExecutable(t *testing.T, to string) {
	t.Helper()
	in, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
