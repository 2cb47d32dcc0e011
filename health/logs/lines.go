package logs

import (
	"bytes"
	"io"
	"strings"
	"time"
)

// maxLine limits a line, in bytes; longer ones are split.
const maxLine = 64 << 10

// lineWriter splits a stream into lines.
type lineWriter struct {
	emit func(line string)
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 && len(w.rest) < maxLine {
			return len(p), nil
		}
		if i < 0 || i > maxLine {
			w.emit(string(w.rest[:maxLine]))
			w.rest = w.rest[maxLine:]
			continue
		}
		w.emit(strings.TrimSuffix(string(w.rest[:i]), "\r"))
		w.rest = w.rest[i+1:]
	}
}

// end emits a last line without a line ending.
func (w *lineWriter) end() {
	if len(w.rest) > 0 {
		w.emit(string(w.rest))
		w.rest = nil
	}
}

// limited keeps the first bytes of a command's output.
type limited struct{ w *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := 4096 - l.w.Len(); room > 0 {
		l.w.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

var _ io.Writer = (*limited)(nil)

// ageFilter leaves out lines that are too old. The first line holds the VM's time and zone.
type ageFilter struct {
	since time.Duration // 0: keeps all

	begun  bool
	now    time.Time
	cutoff time.Time
	fresh  bool // the last line with a time was recent enough: lines without one belong to it
}

func (f *ageFilter) keep(line string) bool {
	if !f.begun {
		f.begun = true
		if f.now = parseClock(line); !f.now.IsZero() {
			f.cutoff = f.now.Add(-f.since)
			return false
		}
	}
	if f.since == 0 || f.now.IsZero() {
		return true
	}
	if written, ok := timeOf(line, f.now); ok {
		f.fresh = !written.Before(f.cutoff)
	}
	return f.fresh
}

// parseClock parses "@1700000000.5 +0100".
func parseClock(line string) time.Time {
	seconds, zone, ok := strings.Cut(strings.TrimPrefix(line, "@"), " ")
	if !ok || !strings.HasPrefix(line, "@") {
		return time.Time{}
	}
	at, err := time.ParseDuration(seconds + "s")
	if err != nil {
		return time.Time{}
	}
	offset, err := time.Parse("-0700", zone)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, 0).Add(at).In(offset.Location())
}

// timeOf parses the time at the beginning of a line: RFC 3339 as rsyslog and journalctl write it, cloud-init's, or the old
// syslog format, which has no year. The latter two are in the VM's time zone, which is now's.
func timeOf(line string, now time.Time) (time.Time, bool) {
	first, rest, _ := strings.Cut(line, " ")
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999-0700"} {
		if t, err := time.Parse(layout, first); err == nil {
			return t, true
		}
	}
	second, _, _ := strings.Cut(rest, " ")
	if t, err := time.ParseInLocation("2006-01-02 15:04:05,000", first+" "+second, now.Location()); err == nil {
		return t, true
	}
	if len(line) >= len(time.Stamp) {
		if t, err := time.ParseInLocation(time.Stamp, line[:len(time.Stamp)], now.Location()); err == nil {
			t = t.AddDate(now.Year(), 0, 0)
			if t.After(now.Add(24 * time.Hour)) { // December's line, read in January
				t = t.AddDate(-1, 0, 0)
			}
			return t, true
		}
	}
	return time.Time{}, false
}
