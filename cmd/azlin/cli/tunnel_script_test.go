package cli_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/azlin-dev/azlin/test/wait"
)

// serveEcho listens until the script has ended, on the network that this machine and its VMs share, and answers what it has
// heard when all is said. The port is in the variable that is named.
func serveEcho(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: server VARIABLE")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				heard, _ := io.ReadAll(c) // what it has not heard is missing in the answer
				_, _ = fmt.Fprintf(c, "heard %s", heard)
			}()
		}
	}()
}

// sayTo says something to a port of this machine: the echo comes back, or with ! nobody listens there.
func sayTo(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: say PORT TEXT")
	}
	if neg {
		wait.Until(ts, "nobody listens at port "+args[0], func() bool { // a process that is killed takes a moment
			c, err := net.DialTimeout("tcp4", "127.0.0.1:"+args[0], 10*time.Second)
			if err == nil {
				_ = c.Close()
			}
			return err != nil
		})
		return
	}
	c, err := net.DialTimeout("tcp4", "127.0.0.1:"+args[0], 10*time.Second)
	ts.Check(err)
	defer c.Close()
	ts.Check(c.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(c, args[1])
	ts.Check(err)
	ts.Check(c.(*net.TCPConn).CloseWrite())
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "heard "+args[1] {
		ts.Fatalf("%q, %v", got, err)
	}
}

// keepOutput puts what the last command wrote into a variable.
func keepOutput(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keep VARIABLE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}
