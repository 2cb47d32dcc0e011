// Package logs reads a VM's logs: those of cloud-init and the system over SSH, the serial console through Azure, which works
// without SSH, and the record of installed tools.
// Lines are returned unchanged. Clean them before showing them on a terminal.
package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

// Source names one of a VM's logs.
type Source string

// The sources. Serial is read through Azure, the others over SSH.
const (
	CloudInit       Source = "cloud-init"        // cloud-init's steps
	CloudInitOutput Source = "cloud-init-output" // the output of its scripts
	Serial          Source = "serial"            // the serial console
	Auth            Source = "auth"              // logins and sudo
	Syslog          Source = "syslog"            // everything else
	ToolsRecord     Source = "tools"             // the result of each tool; see Tools
)

// Sources lists all of them.
func Sources() []Source {
	return []Source{CloudInit, CloudInitOutput, Serial, Auth, Syslog, ToolsRecord}
}

// ParseSource checks the name of a source.
func ParseSource(name string) (Source, error) {
	if s := Source(name); slices.Contains(Sources(), s) {
		return s, nil
	}
	names := make([]string, 0, len(Sources()))
	for _, s := range Sources() {
		names = append(names, string(s))
	}
	return "", errkind.New(errkind.Invalid, "there is no log %q; there are %s", name, strings.Join(names, ", "))
}

// Timed reports whether a source's lines have times, so that Since can be used.
func (s Source) Timed() bool { return s == CloudInit || s == Auth || s == Syslog }

// file is the path of a log on Ubuntu, and journalctl's arguments where only the journal exists.
func (s Source) file() (path, journal string) {
	switch s {
	case CloudInit:
		return "/var/log/cloud-init.log", ""
	case CloudInitOutput:
		return "/var/log/cloud-init-output.log", ""
	case Auth:
		return "/var/log/auth.log", "--facility=auth,authpriv"
	case Syslog:
		return "/var/log/syslog", "--facility=kern,user,daemon,syslog,cron"
	case Serial, ToolsRecord:
	}
	return "", ""
}

// Options select lines of a log. The zero value is the whole log, up to maxRead.
type Options struct {
	Lines int           // the last ones; 0: all
	Since time.Duration // maximum age by the VM's clock; 0: no limit. Only for a source that is Timed
}

// maxRead limits, in bytes, how much of a log's end is read.
const maxRead = 16 << 20

// ErrLost is the cause when the connection ended while a log was being followed.
var ErrLost = errors.New("the connection to the VM was lost")

// command returns the script that prints a log. Its first line is the VM's time and time zone.
func (s Source) command(o Options, follow bool) string {
	path, journal := s.file()
	// With Since, the last lines are selected here, after removing old ones.
	tail := fmt.Sprintf("tail -c %d", maxRead)
	if o.Lines > 0 && o.Since == 0 {
		tail = "tail -n " + strconv.Itoa(o.Lines)
	}
	journalLines := "-n " + strconv.Itoa(max(o.Lines, 0))
	if o.Lines == 0 || o.Since > 0 {
		journalLines = "-n all"
	}
	if follow {
		// tail ends with the connection even if nothing new is written: the shell's parent is a child of sshd.
		tail += " -F --pid=$PPID"
		journalLines += " -f"
	}
	// Ubuntu's login user can read these logs as a member of adm; for others sudo is used, which adds entries to them.
	script := "date '+@%s.%N %z'\nif [ -r " + path + " ]; then exec " + tail + " " + path + " 2>/dev/null; fi\n" +
		"if [ -e " + path + " ]; then exec sudo -n " + tail + " " + path + "; fi\n"
	if journal != "" {
		script += "if command -v journalctl >/dev/null; then exec journalctl -q --no-pager -o short-iso-precise " + journal + " " + journalLines + "; fi\n"
	}
	script += "echo \"" + path + " does not exist on this VM\" >&2; exit 66"
	return script
}

// Read returns the lines of a log that is read over SSH.
func Read(ctx context.Context, client *remote.Client, s Source, o Options) ([]string, error) {
	lines := []string{}
	err := s.each(ctx, client, o, false, func(line string) error {
		lines = append(lines, line)
		return nil
	})
	if o.Lines > 0 && len(lines) > o.Lines {
		lines = slices.Clone(lines[len(lines)-o.Lines:])
	}
	return lines, err
}

// Follow emits the lines of a log, and then each new one as it is written. It ends when ctx ends, which is not an error,
// when emit fails, with that error, or when the connection ends, with ErrLost. Lines limits the lines emitted at first; with
// Since, all that are recent enough.
func Follow(ctx context.Context, client *remote.Client, s Source, o Options, emit func(line string) error) error {
	err := s.each(ctx, client, o, true, emit)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// each runs a log's command and emits its lines.
func (s Source) each(ctx context.Context, client *remote.Client, o Options, follow bool, emit func(string) error) error {
	if path, _ := s.file(); path == "" {
		return errkind.New(errkind.Invalid, "the log %q is not read this way", s)
	}
	if o.Since > 0 && !s.Timed() {
		return errkind.New(errkind.Invalid, "the lines of the log %q do not say when they were written", s)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var stderr bytes.Buffer
	filter := ageFilter{since: o.Since}
	some := false // the log was readable
	out := &lineWriter{emit: func(line string) {
		some = some || filter.begun
		if keep := filter.keep(line); !keep || ctx.Err() != nil {
			return
		}
		if err := emit(line); err != nil {
			cancel(err)
		}
	}}
	code, err := client.Run(ctx, remote.Command{Script: s.command(o, follow), Stdout: out, Stderr: &limited{w: &stderr}})
	out.end()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	switch {
	case err != nil && follow:
		return &errkind.Error{Kind: errkind.Unreachable, Op: "follow the log", Resource: string(s), Class: ErrLost, Err: errors.Join(ErrLost, err)}
	case err != nil:
		return err
	case code == 66:
		return errkind.New(errkind.NotFound, "log %s: %s", s, strings.TrimSpace(stderr.String()))
	case code != 0 && !(follow && (some || code > 128)): // otherwise the reading process was killed
		return errkind.New(errkind.Permission, "log %s: it cannot be read: %s", s, strings.TrimSpace(stderr.String()))
	case follow:
		return &errkind.Error{Kind: errkind.Unreachable, Op: "follow the log", Resource: string(s), Class: ErrLost, Err: ErrLost}
	}
	return nil
}
