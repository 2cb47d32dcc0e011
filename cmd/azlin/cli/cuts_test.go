package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/wait"
)

// cutter cuts the connection of a script's terminal to a VM.
type cutter struct {
	*testscript.TestScript

	vm     string
	chance *rand.Rand
	n      int
	port   int // of the forward
}

// cut is the command 'cuts VM COUNT KIND...': it connects the terminal to a VM, with a forward, and cuts the connection
// that often, in each of the ways at least once if there are as many. What runs on the VM goes on, and nothing hangs.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: cuts VM COUNT KIND...")
	}
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	seed := uint64(time.Now().UnixNano())
	ts.Logf("seed %d", seed)
	c := &cutter{TestScript: ts, vm: args[0], chance: rand.New(rand.NewPCG(seed, 2))}
	defer c.connect()()
	kinds := slices.Clone(args[2:])
	c.chance.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })

	if many, err := strconv.Atoi(ts.Getenv("CUTS")); err == nil { // of a torture
		count = many
	}
	for ; c.n < max(count, len(kinds)); c.n++ {
		kind := kinds[c.chance.IntN(len(kinds))]
		if c.n < len(kinds) {
			kind = kinds[c.n]
		}
		c.says("kept=yes; echo begin", "begin")
		before := time.Now()
		kept := c.cut(kind)
		if kept {
			c.says("echo ${kept:-lost}", "yes")
		} else {
			c.says("echo ${kept:-lost}", "lost")
		}
		c.until(kind, "the forward works", c.forwarded)
		ts.Logf("%s: %s", kind, time.Since(before).Round(time.Millisecond))
	}
	typeLine(ts, false, []string{"exit 0"})
	waitForScreen(ts, false, []string{"ended with 0"})
	if c.forwarded() {
		ts.Fatalf("the forward outlives the session")
	}
}

// connect connects the terminal to the VM, with a forward to who says so.
func (c *cutter) connect() (end func()) {
	ts := c.TestScript
	target, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	go func() {
		for {
			conn, err := target.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "forwarded") // whoever asked may be gone
			_ = conn.Close()                         // as above
		}
	}()
	c.port = local.LastingPort(ts)
	openTerminal(ts, false, []string{fmt.Sprintf("azlin connect %s --max-attempts 0 -L 127.0.0.1:%d:%s", c.vm, c.port, target.Addr())})
	waitForScreen(ts, false, []string{c.vm + `:~\$`})
	return func() { _ = target.Close() } // nobody comes any more
}

// killed is the command 'killed VM': it kills an azlin that is connected to a VM, with a forward, and sees that ssh and the
// forward do not outlive it.
func killed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: killed VM")
	}
	c := &cutter{TestScript: ts, vm: args[0], chance: rand.New(rand.NewPCG(1, 2))}
	defer c.connect()()
	c.until("none", "the forward works", c.forwarded)
	c.signal("KILL", c.azlin()...)
	waitForScreen(ts, false, []string{"ended with 137"})
	c.until("the end of azlin", "ssh ends", func() bool { return len(c.ssh()) == 0 && !c.forwarded() })
}

func (c *cutter) until(kind, what string, ok func() bool) {
	wait.Until(c, fmt.Sprintf("cut %d, %s: %s", c.n, kind, what), ok, func() string { return "the screen shows\n" + tmux(c.TestScript, "capture-pane", "-p") })
}

// says types a line until the answer is on the screen. What is typed while there is no connection may be lost.
func (c *cutter) says(line, answer string) {
	mark := fmt.Sprintf("%d-%d", c.n, c.chance.IntN(1e6))
	var typed time.Time
	c.until("after it", line, func() bool {
		if time.Since(typed) > 3*time.Second {
			typeLine(c.TestScript, false, []string{"clear; echo " + mark + "-$(" + line + "); " + line})
			typed = time.Now()
		}
		return strings.Contains(tmux(c.TestScript, "capture-pane", "-p"), mark+"-"+answer)
	})
}

func (c *cutter) forwarded() bool {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", c.port), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second)) // it shows when it is read
	said, err := io.ReadAll(conn)
	return err == nil && string(said) == "forwarded"
}

// cut cuts the connection, and reports whether what runs on the VM is still there.
func (c *cutter) cut(kind string) (kept bool) {
	azlin := func(args ...string) { c.Check(c.Exec("azlin", args...)) }
	switch kind {
	case "kill":
		c.signal("KILL", c.ssh()...)
	case "drop", "freeze":
		azlin("emulator", "fault", "add", "ssh-"+kind, "--name", c.vm, "--bytes", strconv.Itoa(8000+c.chance.IntN(20000)))
		c.signal("KILL", c.ssh()...)
		c.says("echo back", "back")
		doomed := c.ssh()
		var typed time.Time
		c.until(kind, "the connection ends", func() bool {
			if time.Since(typed) > time.Second {
				typeLine(c.TestScript, false, []string{"seq 1000 9999"})
				typed = time.Now()
			}
			return !slices.Equal(c.ssh(), doomed)
		})
		azlin("emulator", "fault", "clear")
	case "restart":
		azlin("restart", c.vm, "--progress", "none")
		return false
	case "address":
		c.move()
	case "stop": // for longer than the VM may be silent
		all := append(c.ssh(), c.azlin()...)
		c.signal("STOP", all...)
		<-time.After(4 * time.Second)
		c.signal("CONT", all...)
	case "tunnel":
		var tunnels []int
		for _, pid := range c.ssh() {
			tunnels = append(tunnels, pids("-P", strconv.Itoa(pid))...)
		}
		c.signal("KILL", tunnels...)
	default:
		c.Fatalf("there is no cut %q", kind)
	}
	return true
}

// ssh are the processes of the system's ssh that the script's azlin runs.
func (c *cutter) ssh() []int { return pids("-f", "^[^ ]*ssh .*"+c.Getenv("AZLIN_CONFIG_DIR")) }

// azlin are the parents of those.
func (c *cutter) azlin() []int {
	var all []int
	for _, pid := range c.ssh() {
		out, err := exec.CommandContext(context.Background(), "ps", "-o", "ppid=", "-p", strconv.Itoa(pid)).Output()
		if parent, atoiErr := strconv.Atoi(strings.TrimSpace(string(out))); err == nil && atoiErr == nil {
			all = append(all, parent)
		}
	}
	return all
}

func pids(args ...string) []int {
	out, err := exec.CommandContext(context.Background(), "pgrep", args...).Output()
	if err != nil {
		return nil // there is none
	}
	var all []int
	for line := range strings.Lines(string(out)) {
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

func (c *cutter) signal(name string, pids ...int) {
	if len(pids) == 0 {
		c.Fatalf("there is no process to send %s to", name)
	}
	for _, pid := range pids {
		_ = exec.CommandContext(context.Background(), "kill", "-"+name, strconv.Itoa(pid)).Run() // it may have ended
	}
}

// move gives the VM another public address.
func (c *cutter) move() {
	const version = "2024-05-01"
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	status, err := emulator.Read(ctx, filepath.Join(c.Getenv("AZLIN_CONFIG_DIR"), "emulator"))
	c.Check(err)
	door, err := local.DoorOf(status)
	c.Check(err)
	base := "/subscriptions/" + status.SubscriptionID + "/resourceGroups/azlin-rg/providers/Microsoft.Network/"
	address := fmt.Sprintf("%spublicIPAddresses/%s-ip-%d", base, c.vm, c.n)
	_, err = door.DoOperation(ctx, http.MethodPut, address, version, map[string]any{
		"location": "westus2", "sku": map[string]any{"name": "Standard"}, "properties": map[string]any{"publicIPAllocationMethod": "Static"},
	}, nil)
	c.Check(err)
	nic := base + "networkInterfaces/" + c.vm + "-nic"
	resp, err := door.Do(ctx, http.MethodGet, nic, version, nil)
	c.Check(err)
	var body map[string]any
	c.Check(json.Unmarshal(resp.Body, &body))
	first := body["properties"].(map[string]any)["ipConfigurations"].([]any)[0].(map[string]any)
	first["properties"].(map[string]any)["publicIPAddress"] = map[string]any{"id": address}
	_, err = door.DoOperation(ctx, http.MethodPut, nic, version, body, nil)
	c.Check(err)
}
