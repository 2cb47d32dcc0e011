package update

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// files names the files of an update in a script.
var files = strings.NewReplacer(
	"RECORD", cloudinit.UpdateRecord, "SEEN", cloudinit.UpdateRecord+".seen", "OUTPUT", cloudinit.UpdateOutput, "LOCK", cloudinit.UpdateLock,
)

// begin starts the job, unless one is running, or the same one has ended and its result was not read. $1 is the job's id, $2
// its plan in JSON. The lock is passed to the job, so it is never free in between.
var begin = files.Replace(`set -eu
umask 022
mkdir -p /run/azlin /var/lib/azlin
exec 9>LOCK
if ! flock -n 9; then echo joined; exit 0; fi
if [ -e RECORD ] && grep -q '^{"end"' RECORD && head -n 1 RECORD | grep -qF "{\"plan\":$2,"; then echo joined; exit 0; fi
script=$(mktemp /run/azlin/update.XXXXXX)
cat >"$script"
rm -f RECORD OUTPUT
printf '{"plan":%s,"id":"%s","at":"%s"}\n' "$2" "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >RECORD
: >OUTPUT
chmod 0640 RECORD OUTPUT
chgrp adm RECORD OUTPUT
setsid sh "$script" </dev/null >/dev/null 2>&1 &
echo begun`)

// look prints whether a job is running, and the record.
var look = files.Replace(`if flock -n -s LOCK true; then echo idle; else echo busy; fi
cat RECORD`)

// seen marks a job's result as read.
var seen = files.Replace(`mv -f RECORD SEEN`)

// readOutput prints the last part of the steps' output.
var readOutput = files.Replace(`tail -c 1048576 OUTPUT`)

// asRoot runs its first argument, a script, as root, without a password prompt.
const asRoot = `exec sudo -n sh -c "$@"`

// run runs a script as root on the VM and returns its output.
func run(ctx context.Context, client *remote.Client, input []byte, script string, args ...string) (string, error) {
	var out, errOut bytes.Buffer
	code, err := client.Run(ctx, remote.Command{Script: asRoot, Args: append([]string{script, "azlin-update"}, args...), Stdin: bytes.NewReader(input), Stdout: &out, Stderr: &errOut})
	if err != nil {
		return "", err
	}
	if code != 0 {
		return "", &errkind.Error{
			Kind: errkind.Permission, Err: fmt.Errorf("the user may not use sudo without a password (exit code %d: %s)", code, lastLine(errOut.String())),
		}
	}
	return out.String(), nil
}

// start begins the job, or joins the running one.
func start(ctx context.Context, client *remote.Client, job cloudinit.Update) (joined bool, err error) {
	script, err := job.Script()
	if err != nil {
		return false, err
	}
	plan, err := json.Marshal(job.Plan())
	if err != nil {
		return false, err
	}
	out, err := run(ctx, client, script, begin, strings.ToLower(rand.Text()), string(plan))
	return strings.TrimSpace(out) == "joined", err
}

// state is the VM's report on its job.
type state struct {
	busy   bool
	record cloudinit.Record
}

func read(ctx context.Context, client *remote.Client) (state, error) {
	out, err := run(ctx, client, nil, look)
	if err != nil {
		return state{}, err
	}
	flag, rest, _ := strings.Cut(out, "\n")
	return state{busy: flag == "busy", record: cloudinit.ParseRecord([]byte(rest))}, nil
}

// pace is the interval between progress requests.
const pace = 500 * time.Millisecond

// follow reads the job's progress until it has ended. When the connection is lost it reconnects, until ctx ends. The caller
// closes the returned client; state is the last that was read.
func follow(ctx context.Context, client *remote.Client, connect func(context.Context) (*remote.Client, error), report func(state, error)) (state, *remote.Client, error) {
	var last state
	for {
		now, err := read(ctx, client)
		switch {
		case err == nil:
			last = now
			report(last, nil)
			if !last.busy {
				return last, client, nil
			}
		case ctx.Err() != nil:
			return last, client, context.Cause(ctx)
		case errkind.Of(err) != errkind.Unreachable:
			return last, client, err
		default:
			report(last, err)
			if again, cerr := connect(ctx); cerr == nil {
				_ = client.Close() // the connection is lost
				client = again
				continue
			} else if kind := errkind.Of(cerr); ctx.Err() == nil && kind != errkind.Unreachable {
				return last, client, cerr
			}
		}
		select {
		case <-ctx.Done():
			return last, client, context.Cause(ctx)
		case <-time.After(pace):
		}
	}
}

// tools returns the result of each tool in a record, in order of time.
func tools(r cloudinit.Record) []Tool {
	list := make([]Tool, 0, len(r.Results))
	for _, res := range r.Results {
		t := Tool{Name: res.Tool, Before: res.Before, After: res.Version, Kept: res.Kept}
		if !res.OK {
			t.Err = &errkind.Error{Kind: errkind.Partial, Class: ErrUpdate, Err: errors.New(firstOf(lastLine(res.Output), "it failed without a word"))}
		}
		list = append(list, t)
	}
	return list
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func firstOf(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
