package cli

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/remote"
)

// The exit codes of azlin; see exitCodesText.
const (
	exitOK           = 0
	exitUnexpected   = 1
	exitUsage        = 2
	exitSignIn       = 3
	exitProvisioning = 4
	exitSSH          = 5
	exitNotFound     = 6
	exitConflict     = 7
	exitLimit        = 8
	exitPartial      = 9
	exitInterrupted  = 130
	exitOwnFailure   = 255 // of connect and exec, whose other codes are the remote command's
)

// remoteExit carries the exit code of a command that ran on a VM. It is not a failure of azlin's.
type remoteExit int

func (e remoteExit) Error() string {
	return fmt.Sprintf("the remote command ended with exit code %d", int(e))
}

// exitCode maps an error to the process's exit code.
func exitCode(err error) int {
	kind := errkind.Of(err)
	ssh := errors.Is(err, remote.ErrConnection) || errors.Is(err, remote.ErrHostKey) || errors.Is(err, remote.ErrExec)
	switch kind {
	case errkind.Cancelled:
		return exitInterrupted
	case errkind.HostKey, errkind.Unreachable:
		return exitSSH
	case errkind.Invalid, errkind.Prerequisite:
		return exitUsage
	case errkind.Partial: // whatever the failures were
		return exitPartial
	}
	if ssh {
		return exitSSH
	}
	switch kind {
	case errkind.Auth, errkind.Permission:
		return exitSignIn
	case errkind.Provisioning:
		return exitProvisioning
	case errkind.NotFound:
		return exitNotFound
	case errkind.Conflict:
		return exitConflict
	case errkind.Quota, errkind.Capacity, errkind.Throttled:
		return exitLimit
	}
	return exitUnexpected
}

// failure is how an error is shown to a program.
type failure struct {
	Kind          errkind.Kind `json:"kind"`
	Message       string       `json:"message"`
	Code          string       `json:"code,omitempty"`
	CorrelationID string       `json:"correlation_id,omitempty"`
	Resource      string       `json:"resource,omitempty"`
	LeftOver      []string     `json:"left_over,omitempty"`
	Hint          string       `json:"hint,omitempty"`
	Next          string       `json:"next,omitempty"`
	ExitCode      int          `json:"exit_code"`

	Alternatives []launch.Alternative `json:"alternatives,omitempty"` // to what was refused; the message has them, too
}

// fail reports err on standard error and returns the exit code.
func (a *app) fail(cmd *cobra.Command, err error) int {
	if remoteCode, ok := errors.AsType[remoteExit](err); ok {
		return int(remoteCode)
	}
	f := describe(err)
	if cmd != nil && cmd.Annotations[passesExitCode] != "" {
		f.ExitCode = exitOwnFailure
	}
	if a.output.Structured() {
		enc := json.NewEncoder(a.streams.Err)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(map[string]failure{"error": f}) // nowhere left to report to
		return f.ExitCode
	}
	fmt.Fprint(a.streams.Err, f.text(a.streams.Color)) // as above
	return f.ExitCode
}

func (f failure) text(color bool) string {
	var b strings.Builder
	kind := ""
	if f.Kind != errkind.Unknown {
		kind = " [" + string(f.Kind) + "]"
	}
	label := "azlin:"
	if color {
		label = "\x1b[31mazlin:\x1b[0m"
	}
	fmt.Fprintf(&b, "%s %s%s\n", label, cleanLines(f.Message), kind)
	if len(f.LeftOver) > 0 {
		b.WriteString("Left over:\n")
		for _, r := range f.LeftOver {
			fmt.Fprintf(&b, "  %s\n", term.Clean(r))
		}
	}
	if f.Hint != "" {
		fmt.Fprintf(&b, "Hint: %s\n", f.Hint)
	}
	if f.Next != "" {
		fmt.Fprintf(&b, "Next: %s\n", term.Clean(f.Next))
	}
	return b.String()
}

func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = term.Clean(strings.TrimSuffix(l, "\r"))
	}
	return strings.Join(lines, "\n  ")
}

// describe gathers what all the errors in the tree know, the outermost first.
func describe(err error) failure {
	f := failure{Kind: errkind.Of(err), Message: err.Error(), ExitCode: exitCode(err)}
	for e := range errkind.All(err) {
		if f.Code == "" {
			f.Code = e.Code
		}
		if f.CorrelationID == "" {
			f.CorrelationID = e.CorrelationID
		}
		if f.Resource == "" {
			f.Resource = e.Resource
		}
		if f.Next == "" {
			f.Next = e.Next
		}
		if f.LeftOver == nil {
			f.LeftOver = e.LeftOver
		}
	}
	if r, ok := errors.AsType[*launch.Refusal](err); ok {
		f.Alternatives = r.Alternatives
	}
	f.Hint = hintFor(f)
	return f
}

//go:embed hints.yaml
var hintsYAML []byte

// hint says what to do about a failure. The first entry of hints.yaml whose set fields all match wins.
type hint struct {
	Kind     errkind.Kind `yaml:"kind"`
	Code     string       `yaml:"code"`     // Azure's error code
	Contains string       `yaml:"contains"` // a part of the message
	Hint     string       `yaml:"hint"`
	General  bool         `yaml:"general"` // says less than a command that the failure names
	Sample   string       `yaml:"sample"`  // a message that this entry is for, checked by a test
}

func (h hint) matches(f failure) bool {
	return (h.Kind == "" || h.Kind == f.Kind) && (h.Code == "" || h.Code == f.Code) &&
		(h.Contains == "" || strings.Contains(f.Message, h.Contains)) && (!h.General || f.Next == "")
}

func hintFor(f failure) string {
	hints, err := loadHints()
	if err != nil {
		return "" // a test loads the file; a failure must not hide the error itself
	}
	for _, h := range hints {
		if h.matches(f) {
			return strings.TrimSpace(h.Hint)
		}
	}
	return ""
}

func loadHints() ([]hint, error) {
	var hints []hint
	err := yaml.Unmarshal(hintsYAML, &hints)
	return hints, err
}
