package host_test

import (
	"crypto/sha256"
	"io"
	"os"
	"testing"
	"time"
)

// fingerprint is all that a VM could change of a file.
type fingerprint struct {
	mode    os.FileMode
	changed time.Time
	sum     [sha256.Size]byte
}

func fingerprintOf(t *testing.T, name string) fingerprint {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return fingerprint{info.Mode(), info.ModTime(), [sha256.Size]byte(h.Sum(nil))}
}

// TestVMCannotReachTheExecutable: a VM runs the emulator's program, but cannot get at the file on the host: neither through
// the processes that run it, nor through a script that names such a process as its interpreter.
func TestVMCannotReachTheExecutable(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("grasping")
	l.start(m)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before := fingerprintOf(t, exe)

	const grasp = `grasp() { chmod 000 $1; chmod 6777 $1; touch -d 2001-01-01 $1; printf x >> $1; } 2>/dev/null
		all() { for p in /proc/[0-9]*; do grasp $p/exe; done; grasp /run/.azlin/agent; }
		all
		printf '#!/proc/self/exe\n' > /tmp/script.$$; chmod +x /tmp/script.$$
		for n in 1 2 3 4 5 6 7 8; do
			/tmp/script.$$ </dev/zero >/dev/null 2>&1 &
			kill -STOP $! 2>/dev/null; grasp /proc/$!/exe; all; kill -9 $! 2>/dev/null
		done; true`
	for _, as := range []string{"sh", "sudo sh"} {
		cmd := l.ssh(m, nil, as+" -s")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(in, grasp); err != nil {
			t.Fatal(err)
		}
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", as, err)
		}
		if after := fingerprintOf(t, exe); after != before {
			t.Fatalf("%s: the executable was %v and is %v", as, before, after)
		}
	}
	// What the processes show as their program is not closed to anybody's next VM either.
	second := l.machine("second")
	l.start(second)
	if got := l.sh(second, "sudo echo boots"); got != "boots" {
		t.Errorf("another VM says %q", got)
	}
	if got := l.sh(m, "sudo echo goes on"); got != "goes on" {
		t.Errorf("the VM says %q", got)
	}
}
