package cloudinit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"time"
)

// RecordFile is where a VM records how its installation goes: one line of JSON for each thing that happened.
const RecordFile = "/var/lib/azlin/tools.jsonl"

// RecordLock is locked (flock) as long as tools are being installed.
const RecordLock = "/run/azlin/tools.lock"

// StartupName is the startup script among the results of tools.
const StartupName = "startup-script"

// ToolResult is what became of one tool, or of the startup script.
type ToolResult struct {
	Tool    string  `json:"tool"`
	OK      bool    `json:"ok"`
	Before  string  `json:"before,omitempty"`  // of an update: the version until then
	Kept    bool    `json:"kept,omitempty"`    // of an update: left alone, because neither apt nor pipx installed it
	Version string  `json:"version,omitempty"` // empty: it failed, or it is the startup script
	Seconds float64 `json:"seconds"`
	Output  string  `json:"output,omitempty"` // the last lines, when it failed
}

// Record is what a VM's record file says.
type Record struct {
	Planned  []string     // the tools to install, in order; nil: there is no record
	Startup  bool         // a startup script is to run after them
	Began    time.Time    // UTC; zero: not recorded
	Ended    time.Time    // of the tools, UTC; zero: they have not ended
	Current  string       // what was begun last, unless it has a result
	Results  []ToolResult // the last one of each, in the order in which they came
	Unparsed int          // lines that are not of this format

	// Of an update.
	ID      string // given by who began it
	Restart bool   // the VM must be restarted for all of it to be in use
}

// maxRecordLine bounds a line, in bytes.
const maxRecordLine = 64 << 10

// ParseRecord reads a record file. It was written by a machine that others may have a say in: lines that
// cannot be read are counted and left out.
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
			if old.Tool == l.Tool { // it was tried again after a restart
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

// Result returns what became of a tool; ok tells whether that is known.
func (r Record) Result(tool string) (result ToolResult, ok bool) {
	for _, res := range r.Results {
		if res.Tool == tool {
			return res, true
		}
	}
	return ToolResult{}, false
}
