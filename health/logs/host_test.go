package logs_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/logs"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/test/local/machine"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

func TestMain(m *testing.M) {
	host.Main()
	os.Exit(m.Run())
}

// vm is an emulated VM and a connection to it.
type vm struct {
	*machine.Machine
	*remote.Client
}

func boot(t *testing.T, change ...func(*cloudinit.Config)) *vm {
	t.Helper()
	m := machine.Boot(t, change...)
	return &vm{m, m.Dial()}
}

func (m *vm) run(t *testing.T, line string) {
	t.Helper()
	if out, err := m.Output(t.Context(), line); err != nil || !out.Success {
		t.Fatalf("%s: %+v %v", line, out, err)
	}
}

func TestReadAndFollow(t *testing.T) {
	t.Parallel()
	m := boot(t)
	m.run(t, "cloud-init status --wait")
	ctx := t.Context()

	lines, err := logs.Read(ctx, m.Client, logs.CloudInitOutput, logs.Options{Lines: 2})
	if err != nil || len(lines) != 2 || !strings.Contains(lines[1], "finished at") {
		t.Errorf("%q %v", lines, err)
	}
	all, err := logs.Read(ctx, m.Client, logs.CloudInitOutput, logs.Options{})
	if err != nil || len(all) <= 2 {
		t.Errorf("%q %v", all, err)
	}
	m.run(t, `printf '2020-01-01T00:00:00+00:00 dev old: x\n continued\n' | sudo tee /var/log/syslog; date --rfc-3339=ns | tr ' ' T | sed 's/$/ dev new: y/' | sudo tee -a /var/log/syslog`)
	recent, err := logs.Read(ctx, m.Client, logs.Syslog, logs.Options{Since: time.Hour, Lines: 10})
	if err != nil || len(recent) != 1 || !strings.HasSuffix(recent[0], "new: y") {
		t.Errorf("%q %v", recent, err)
	}
	m.run(t, "sudo rm /var/log/cloud-init.log")
	if _, err := logs.Read(ctx, m.Client, logs.CloudInit, logs.Options{}); errkind.Of(err) != errkind.NotFound {
		t.Errorf("a log that is not there: %v", err)
	}

	// Following ends without an error when it is told to, with that of emit, and with ErrLost when the VM goes.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan string, 10)
	ended := make(chan error, 1)
	emit := func(line string) error { got <- line; return nil }
	go func() { ended <- logs.Follow(ctx, m.Client, logs.Syslog, logs.Options{Lines: 1}, emit) }()
	first := <-got
	m.run(t, "echo later | sudo tee -a /var/log/syslog")
	if second := <-got; !strings.HasSuffix(first, "new: y") || second != "later" {
		t.Errorf("%q %q", first, second)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("told to end: %v", err)
	}
	enough := errors.New("enough")
	if err := logs.Follow(t.Context(), m.Client, logs.Syslog, logs.Options{}, func(string) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("emit: %v", err)
	}
	go func() { ended <- logs.Follow(t.Context(), m.Client, logs.Syslog, logs.Options{Lines: 1}, emit) }()
	<-got
	m.Stop()
	if err := <-ended; !errors.Is(err, logs.ErrLost) || errkind.Of(err) != errkind.Unreachable {
		t.Errorf("lost: %v", err)
	}
}

// TestSSHFaults follows, reads and waits while the connection ends or says nothing any more.
func TestSSHFaults(t *testing.T) {
	t.Parallel()
	m := boot(t, func(c *cloudinit.Config) { c.StartupScript = "sleep 3" })
	m.Limits = remote.Limits{Handshake: 5 * time.Second, KeepAlive: 200 * time.Millisecond, Unanswered: 3}
	connect := func(rule fault.Rule) *remote.Client {
		t.Helper()
		set := &fault.Set{}
		if _, err := set.Add(rule); err != nil {
			t.Fatal(err)
		}
		m.Runtime.SetFaults(set.OnSSH)
		defer m.Runtime.SetFaults(nil)
		c, err := remote.Dial(t.Context(), m.Host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	m.run(t, "yes 'a line that is neither long nor short' | head -n 2000 | sudo tee -a /var/log/syslog >/dev/null")
	for _, effect := range []fault.Effect{fault.SSHDrop, fault.SSHFreeze} {
		c := connect(fault.Rule{Effect: effect, Bytes: 60_000})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		lines := 0
		err := logs.Follow(ctx, c, logs.Syslog, logs.Options{}, func(string) error { lines++; return nil })
		if !errors.Is(err, logs.ErrLost) || errkind.Of(err) != errkind.Unreachable || lines == 0 || ctx.Err() != nil {
			t.Errorf("%s: %d lines followed, %v", effect, lines, err)
		}
		if _, err := logs.Read(ctx, connect(fault.Rule{Effect: effect, Bytes: 60_000}), logs.Syslog, logs.Options{}); !errors.Is(err, remote.ErrLost) || ctx.Err() != nil {
			t.Errorf("%s: read: %v", effect, err)
		}
		cancel()
	}
	// Waiting for tools goes on over another connection.
	reconnected := 0
	again := func(context.Context) (*remote.Client, error) {
		reconnected++
		return connect(fault.Rule{Effect: fault.SSHDelay, Delay: 5 * time.Millisecond}), nil
	}
	i, c, err := logs.Await(t.Context(), connect(fault.Rule{Effect: fault.SSHDrop, Bytes: 3500}), 50*time.Millisecond, again, nil)
	if err != nil || i.State != logs.Done || reconnected != 1 {
		t.Errorf("%+v after %d new connections, %v", i, reconnected, err)
	}
	_ = c.Close() // nothing more is read
}

func TestTools(t *testing.T) {
	t.Parallel()
	m := boot(t, func(c *cloudinit.Config) { c.Tools, c.StartupScript = []string{"git", "uv"}, "echo done" })
	i, _, err := logs.Await(t.Context(), m.Client, 20*time.Millisecond, nil, nil)
	if err != nil || i.State != logs.Done || len(i.Tools) != 3 || i.Began == nil || i.Ended == nil || i.Err("dev") != nil {
		t.Errorf("%+v %v", i, err)
	}
	// Without a record nothing is known to be there.
	m.run(t, "sudo rm /var/lib/azlin/tools.jsonl /var/lib/cloud/scripts/per-boot/azlin-tools")
	if i, err := logs.Tools(t.Context(), m.Client); err != nil || i.State != logs.Unknown || i.Err("dev") == nil {
		t.Errorf("%+v %v", i, err)
	}
}
