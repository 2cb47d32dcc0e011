package host_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAbstractSocketsAreClosed: a VM reaches no abstract Unix socket of the machine, whose server might take it for the
// operator, and those of the VM are open to itself.
func TestAbstractSocketsAreClosed(t *testing.T) {
	t.Parallel()
	if version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION); errno != 0 || version < 6 {
		t.Skip("this kernel cannot close abstract sockets")
	}
	l := newLab(t)
	m := l.machine("abstract")
	l.start(m)
	name := "azlin-test-" + itoa(os.Getpid())
	server, err := net.ListenUnix("unix", &net.UnixAddr{Name: "@" + name, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c := l.client(m)
	if conn, err := c.Dial("unix", "@"+name); err == nil {
		conn.Close()
		t.Error("the VM reaches a socket of the machine by SSH's forwarding")
	}
	_, err = exec.LookPath("python3")
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("python3 is missing: only forwarding was tried")
	}
	const script = `
import socket, sys
def reach(name):
    try: socket.socket(socket.AF_UNIX).connect(chr(0) + name); return "reached"
    except OSError as e: return e.strerror
own = socket.socket(socket.AF_UNIX); own.bind(chr(0) + sys.argv[1] + "-own"); own.listen()
print(reach(sys.argv[1]), reach(sys.argv[1] + "-own"))`
	for _, as := range []string{"", "sudo "} {
		if got := l.sh(m, as+"/usr/bin/python3 -c '"+script+"' "+name); got != "Operation not permitted reached" {
			t.Errorf("%s: %s", as, got)
		}
	}
}
