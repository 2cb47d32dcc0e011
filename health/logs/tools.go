package logs

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// State is the progress of an installation or a tool.
type State string

// The states of an installation, and of one tool in it. Unknown and Interrupted are not successes.
const (
	Unknown     State = "unknown"     // the VM has no record of it
	Waiting     State = "waiting"     // not started yet
	Running     State = "running"     // in progress
	Done        State = "done"        // all succeeded
	Failed      State = "failed"      // it ended, and something failed
	Interrupted State = "interrupted" // it was started, has not ended, and nothing continues it
)

// Tool is one tool of an installation, or the startup script after them.
type Tool struct {
	Name    string   `json:"tool"`
	State   State    `json:"state"`
	Version string   `json:"version,omitempty"`
	Seconds *float64 `json:"seconds,omitempty"` // nil: not ended
	Output  string   `json:"output,omitempty"`  // its last lines, if it failed; from the VM, so not trustworthy
}

// Installation is a VM's record of the tools it installs for azlin.
type Installation struct {
	State State      `json:"state"`
	Tools []Tool     `json:"tools"`
	Began *time.Time `json:"began,omitempty"` // UTC, by the VM's clock
	Ended *time.Time `json:"ended,omitempty"` // of the tools; as Began
}

// Over reports whether the installation has stopped changing.
func (i Installation) Over() bool { return i.State != Running && i.State != Waiting }

// Failures lists the tools that failed, or whose success is unknown.
func (i Installation) Failures() []Tool {
	var failed []Tool
	for _, t := range i.Tools {
		if t.State == Failed || i.Over() && t.State != Done {
			failed = append(failed, t)
		}
	}
	return failed
}

// Err is nil for a successful installation, else Partial: the VM exists, but something on it is missing.
func (i Installation) Err(vmName string) error {
	if i.State == Done {
		return nil
	}
	var names []string
	for _, t := range i.Failures() {
		names = append(names, t.Name)
	}
	var what string
	switch {
	case i.State == Unknown:
		what = "the VM has no record of an installation"
	case !i.Over():
		what = "the installation has not ended"
	case i.State == Interrupted:
		what = "the installation was interrupted; missing: " + strings.Join(names, ", ")
	default:
		what = strings.Join(names, ", ") + " failed"
	}
	return &errkind.Error{
		Kind: errkind.Partial, Op: "install tools on", Resource: vmName, Err: fmt.Errorf("%s", what),
		Next: errkind.Step{Action: errkind.ReadLog, VM: vmName, Name: "tools"},
	}
}

// readRecord prints whether the installation is running, whether cloud-init has finished this boot, whether an installation
// is expected at all, and then the record, which Ubuntu's login user can read as a member of adm.
var readRecord = strings.NewReplacer("RECORD", cloudinit.RecordFile, "LOCK", cloudinit.RecordLock).Replace(
	`if [ -e LOCK ] && ! flock -ns LOCK true; then echo busy; else echo idle; fi
if [ -e /run/cloud-init/result.json ]; then echo booted; else echo booting; fi
if [ -e /var/lib/cloud/scripts/per-boot/azlin-tools ]; then echo expected; else echo foreign; fi
if [ -r RECORD ]; then cat RECORD; elif [ -e RECORD ]; then sudo -n cat RECORD 2>/dev/null; fi`)

// Tools reads the state of the installation of tools on a VM.
func Tools(ctx context.Context, client *remote.Client) (Installation, error) {
	out, err := client.Script(ctx, readRecord)
	if err != nil {
		return Installation{}, err
	}
	return parseInstallation([]byte(out.Stdout)), nil
}

// parseInstallation parses the output of readRecord.
func parseInstallation(data []byte) Installation {
	flag := func(word string) bool {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		return string(line) == word
	}
	busy, booted, expected := flag("busy"), flag("booted"), flag("expected")
	return installationOf(cloudinit.ParseRecord(data), busy, booted, expected)
}

func installationOf(r cloudinit.Record, busy, booted, expected bool) Installation {
	i := Installation{State: Unknown, Tools: []Tool{}}
	if r.Planned == nil {
		if busy || expected && !booted {
			i.State = Running
		}
		return i
	}
	if !r.Began.IsZero() {
		i.Began = &r.Began
	}
	if !r.Ended.IsZero() {
		i.Ended = &r.Ended
	}
	names := r.Planned
	if r.Startup {
		names = append(append([]string{}, names...), cloudinit.StartupName)
	}
	failed, open := false, r.Ended.IsZero()
	for _, name := range names {
		t := Tool{Name: name, State: Waiting}
		result, ok := r.Result(name)
		switch {
		case ok:
			t.State, t.Version, t.Output, t.Seconds = Done, result.Version, result.Output, &result.Seconds
			if !result.OK {
				t.State, failed = Failed, true
			}
		case r.Current == name:
			t.State, open = Running, true
		case r.Ended.IsZero() || name == cloudinit.StartupName:
			open = true
		default:
			t.State, failed = Unknown, true // the tools have ended without a result for this one
		}
		i.Tools = append(i.Tools, t)
	}
	switch {
	case open && (busy || !booted):
		i.State = Running
	case open:
		i.State = Interrupted
		for n, t := range i.Tools {
			if t.State == Running {
				i.Tools[n].State = Interrupted
			}
		}
	case failed:
		i.State = Failed
	default:
		i.State = Done
	}
	return i
}

// Await reads the installation at every interval (zero: one second) until it is over. report, which may be nil, receives
// each state. When the connection is lost, as by a restart, connect makes a new one; nil: that is an error. The caller
// closes the returned client, also on an error; the original client is closed if it was replaced.
func Await(ctx context.Context, client *remote.Client, interval time.Duration, connect func(context.Context) (*remote.Client, error),
	report func(Installation),
) (Installation, *remote.Client, error) {
	if interval == 0 {
		interval = time.Second
	}
	for {
		i, err := Tools(ctx, client)
		switch {
		case err != nil && (connect == nil || ctx.Err() != nil):
			return i, client, err
		case err != nil:
			again, cerr := connect(ctx)
			if cerr != nil {
				return i, client, cerr
			}
			_ = client.Close() // the connection is lost
			client = again
			continue
		case i.Over():
			return i, client, nil
		}
		if report != nil {
			report(i)
		}
		select {
		case <-ctx.Done():
			return i, client, context.Cause(ctx)
		case <-time.After(interval):
		}
	}
}
