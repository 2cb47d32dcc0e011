package cloudinit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"time"
)

// RecordFile is the VM's record of its installation of tools: one line of JSON for each event.
const RecordFile = "/var/lib/azlin/tools.jsonl"

// RecordLock is locked (flock) while tools are being installed.
const RecordLock = "/run/azlin/tools.lock"

// StartupName is the name of the startup script among the results.
const StartupName = "startup-script"

// ToolResult is the result of one tool, or of the startup script.
type ToolResult struct {
	Tool    string  `json:"tool"`
	OK      bool    `json:"ok"`
	Before  string  `json:"before,omitempty"`  // of an update: the version before it
	Kept    bool    `json:"kept,omitempty"`    // of an update: skipped, because neither apt nor pipx installed it
	Version string  `json:"version,omitempty"` // empty: it failed, or it is the startup script
	Seconds float64 `json:"seconds"`
	Output  string  `json:"output,omitempty"` // the last lines, when it failed
}

// Record is the content of a VM's record file.
type Record struct {
	Planned  []string     // the tools to install, in order; nil: there is no record
	Startup  bool         // a startup script runs after them
	Began    time.Time    // UTC; zero: not recorded
	Ended    time.Time    // when the tools ended, UTC; zero: not yet
	Current  string       // the tool that runs now; empty: none
	Results  []ToolResult // the last result of each, in order of time
	Unparsed int          // lines that could not be read

	// For updates.
	ID      string // chosen by the program that started it
	Restart bool   // the VM must be restarted to use all of it
}

// maxRecordLine bounds a line, in bytes.
const maxRecordLine = 64 << 10

// ParseRecord reads a record file. Users of the VM may have changed it: unreadable lines are counted and skipped.
func ParseRecord(data []byte) Record {
	var r Record
	scanner := bufio.NewScanner(bytes.NewReader(data))
	scanner.Buffer(nil, maxRecordLine)
	for scanner.Scan() {
		if len(bytes.TrimSpace(scanner.Bytes())) > 0 && !r.add(scanner.Bytes()) {
			r.Unparsed++
		}
	}
	if scanner.Err() != nil {
		r.Unparsed++
	}
	return r
}

func (r *Record) add(line []byte) bool {
	var l struct {
		Plan    *[]string
		Startup bool
		At      time.Time
		ID      string
		Restart bool
		Start   string
		End     time.Time
		ToolResult
	}
	if json.Unmarshal(line, &l) != nil {
		return false
	}
	switch {
	case l.Plan != nil:
		r.Planned, r.Startup, r.Began, r.ID = append([]string{}, *l.Plan...), l.Startup, l.At.UTC(), l.ID
	case l.Start != "":
		r.Current = l.Start
	case l.Tool != "":
		if r.Current == l.Tool {
			r.Current = ""
		}
		for i, old := range r.Results {
			if old.Tool == l.Tool { // retried after a restart
				r.Results = append(r.Results[:i], r.Results[i+1:]...)
				break
			}
		}
		r.Results = append(r.Results, l.ToolResult)
	case !l.End.IsZero():
		r.Ended, r.Restart = l.End.UTC(), l.Restart
	default:
		return false
	}
	return true
}

// Result returns the result of a tool; ok is false when there is none.
func (r Record) Result(tool string) (result ToolResult, ok bool) {
	for _, res := range r.Results {
		if res.Tool == tool {
			return res, true
		}
	}
	return ToolResult{}, false
}
