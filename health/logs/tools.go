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

// State is how far something has come.
type State string

// The states of an installation, and of one tool in it. Unknown and Interrupted are no success.
const (
	Unknown     State = "unknown"     // the VM has no record of it
	Waiting     State = "waiting"     // its turn has not come
	Running     State = "running"     // it is under way
	Done        State = "done"        // all of it went well
	Failed      State = "failed"      // it has ended, and something in it failed
	Interrupted State = "interrupted" // it was begun, has not ended, and nothing goes on with it
)

// Tool is one tool of an installation, or the startup script after them.
type Tool struct {
	Name    string   `json:"tool"`
	State   State    `json:"state"`
	Version string   `json:"version,omitempty"`
	Seconds *float64 `json:"seconds,omitempty"` // nil: it has not ended
	Output  string   `json:"output,omitempty"`  // its last lines, when it failed; from the VM, not to be trusted
}

// Installation is what a VM's record says of the tools that azlin asked it to install.
type Installation struct {
	State State      `json:"state"`
	Tools []Tool     `json:"tools"`
	Began *time.Time `json:"began,omitempty"` // UTC, by the VM's clock
	Ended *time.Time `json:"ended,omitempty"` // of the tools; as Began
}

// Over reports whether nothing more will come by itself.
func (i Installation) Over() bool { return i.State != Running && i.State != Waiting }

// Failures lists what failed, or was to be there and is not known to be.
func (i Installation) Failures() []Tool {
	var failed []Tool
	for _, t := range i.Tools {
		if t.State == Failed || i.Over() && t.State != Done {
			failed = append(failed, t)
		}
	}
	return failed
}

// Err is nil for an installation that is done, and else Partial: the VM is there, and something on it is not.
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

// readRecord prints whether the installation is running, whether cloud-init has finished this boot, whether
// one is expected at all, and then the record, which Ubuntu's login user may read as a member of adm.
var readRecord = strings.NewReplacer("RECORD", cloudinit.RecordFile, "LOCK", cloudinit.RecordLock).Replace(
	`if [ -e LOCK ] && ! flock -ns LOCK true; then echo busy; else echo idle; fi
if [ -e /run/cloud-init/result.json ]; then echo booted; else echo booting; fi
if [ -e /var/lib/cloud/scripts/per-boot/azlin-tools ]; then echo expected; else echo foreign; fi
if [ -r RECORD ]; then cat RECORD; elif [ -e RECORD ]; then sudo -n cat RECORD 2>/dev/null; fi`)

// Tools reads how the installation of tools on a VM goes.
func Tools(ctx context.Context, client *remote.Client) (Installation, error) {
	out, err := client.Script(ctx, readRecord)
	if err != nil {
		return Installation{}, err
	}
	return parseInstallation([]byte(out.Stdout)), nil
}

// parseInstallation reads what readRecord printed.
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
			t.State, failed = Unknown, true // the tools have ended without a word about this one
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

// Await reads the installation again and again, every interval (zero: one second), until it is over. report,
// which may be nil, is told each time. When the connection is lost, as by a restart, connect makes another
// one; nil: that is an error. The client that is connected in the end is the caller's to close, whatever
// became of the wait; the one that was given is closed if it was replaced.
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
			_ = client.Close() // it is lost
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
