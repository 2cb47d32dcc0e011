package app

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm/catalog"
)

// The exit codes of azlin; see exitCodesText.
const (
	exitOK           = 0
	exitUnexpected   = 1
	exitUsage        = 2
	exitSignIn       = 3
	exitProvisioning = 4
	ExitSSH          = 5
	exitNotFound     = 6
	exitConflict     = 7
	exitLimit        = 8
	exitPartial      = 9
	exitInterrupted  = 130
	exitOwnFailure   = 255 // of connect and exec, whose other codes are the remote command's
)

// RemoteExit carries the exit code of a command that ran on a VM. It is not a failure of azlin's.
type RemoteExit int

func (e RemoteExit) Error() string {
	return fmt.Sprintf("the remote command ended with exit code %d", int(e))
}

// ExitCode maps an error to the process's exit code.
func ExitCode(err error) int {
	kind := errkind.Of(err)
	ssh := errors.Is(err, remote.ErrConnection) || errors.Is(err, remote.ErrHostKey) || errors.Is(err, remote.ErrExec)
	switch kind {
	case errkind.Cancelled:
		return exitInterrupted
	case errkind.HostKey, errkind.Unreachable:
		return ExitSSH
	case errkind.Invalid, errkind.Prerequisite:
		return exitUsage
	case errkind.Partial: // whatever the failures were
		return exitPartial
	}
	if ssh {
		return ExitSSH
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

// Failure is how an error is shown to a program.
type Failure struct {
	Kind          errkind.Kind `json:"kind"`
	Message       string       `json:"message"`
	Code          string       `json:"code,omitempty"`
	CorrelationID string       `json:"correlation_id,omitempty"`
	Resource      string       `json:"resource,omitempty"`
	LeftOver      []string     `json:"left_over,omitempty"`
	Hint          string       `json:"hint,omitempty"`
	Next          string       `json:"next,omitempty"`     // a command line
	Step          errkind.Step `json:"next_step,omitzero"` // what Next is the words of
	ExitCode      int          `json:"exit_code"`

	Alternatives []catalog.Alternative `json:"alternatives,omitempty"` // to what was refused

	facts []string // what Azure needs to know about it in a support request, a line each
}

// Fail reports err on standard error and returns the exit code.
func (a *App) Fail(cmd *cobra.Command, err error) int {
	if remoteCode, ok := errors.AsType[RemoteExit](err); ok {
		return int(remoteCode)
	}
	f := Describe(err)
	command := "azlin"
	if cmd != nil {
		command = cmd.CommandPath()
		if cmd.Annotations[PassesExitCode] != "" {
			f.ExitCode = exitOwnFailure
		}
	}
	f.Message = strings.TrimPrefix(f.Message, command+": ")
	f.Next = a.inContext(f.Next)
	if a.Output.Structured() {
		enc := json.NewEncoder(a.Streams.Err)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(map[string]Failure{"error": f}) // nowhere left to report to
		return f.ExitCode
	}
	fmt.Fprint(a.Streams.Text(a.Streams.Err), f.text(command, a.Flags.debug, a.Streams.Color)) // as above
	return f.ExitCode
}

// FormatErrors has the format of a command line that could not be understood be that of its error.
func (a *App) FormatErrors(args []string) {
	if a.command != "" {
		return // it was understood
	}
	for n, arg := range args {
		if arg == "--" {
			return
		}
		value, ok := strings.CutPrefix(arg, "--output=")
		if !ok {
			value, ok = strings.CutPrefix(arg, "-o")
		}
		if value == "" && n+1 < len(args) || arg == "--output" && n+1 < len(args) {
			value, ok = args[n+1], true
		}
		if format, err := term.ParseFormat(strings.TrimPrefix(value, "=")); ok && err == nil {
			a.Output.Format = format
		}
	}
}

// inContext adds the context that the command line named to another command line of azlin's.
func (a *App) inContext(next string) string {
	if a.Flags.Context == "" || !strings.HasPrefix(next, "azlin ") || strings.Contains(next, " --context ") {
		return next
	}
	line, rest, remote := strings.Cut(next, " -- ")
	line += flag("--context", a.Flags.Context)
	if remote {
		line += " -- " + rest
	}
	return line
}

// armID is an ARM id in a text of Azure's.
var armID = regexp.MustCompile(`/subscriptions/[A-Za-z0-9_.()/-]*[A-Za-z0-9_)]`)

// text is what a person reads: one sentence, what Azure calls it, what is left over, what there is instead, and what to do.
func (f Failure) text(command string, debug, color bool) string {
	var b strings.Builder
	kind := ""
	if debug && f.Kind != errkind.Unknown {
		kind = " [" + string(f.Kind) + "]"
	}
	label := command + ":"
	if color {
		label = "\x1b[31m" + label + "\x1b[0m"
	}
	message := armID.ReplaceAllStringFunc(f.Message, errkind.ShortName)
	fmt.Fprintf(&b, "%s %s%s\n", label, cleanLines(message), kind)
	if len(f.Alternatives) > 0 {
		b.WriteString("Available instead:\n")
		for _, a := range f.Alternatives {
			fmt.Fprintf(&b, "  %s: %s\n", term.Clean(asFlags(a)), term.Clean(a.Facts()))
		}
	}
	for _, fact := range f.facts {
		fmt.Fprintf(&b, "Azure: %s\n", term.Clean(fact))
	}
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

// asFlags asks for an alternative; where only the size may be another, it is its name.
func asFlags(a catalog.Alternative) string {
	if a.Fixed {
		return a.Size
	}
	return "--size " + a.Size + " --region " + a.Region + flag("--zone", a.Zone)
}

func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = term.Clean(strings.TrimSuffix(l, "\r"))
	}
	return strings.Join(lines, "\n  ")
}

// Describe gathers what all the errors in the tree know, the outermost first.
func Describe(err error) Failure {
	f := Failure{Kind: errkind.Of(err), Message: errkind.Sentence(err), ExitCode: ExitCode(err)}
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
		if fact := factOf(e); fact != "" && !slices.Contains(f.facts, fact) {
			f.facts = append(f.facts, fact)
		}
		if f.LeftOver == nil {
			f.LeftOver = e.LeftOver
		}
	}
	if r, ok := errors.AsType[*catalog.Refusal](err); ok {
		f.Alternatives = r.Alternatives
	}
	f.Step = errkind.Next(err)
	f.Next = WordStep(f.Step)
	f.Hint = HintFor(f)
	return f
}

// factOf is Azure's code and correlation id.
func factOf(e *errkind.Error) string {
	switch {
	case e.CorrelationID == "":
		return e.Code
	case e.Code == "":
		return "correlation id " + e.CorrelationID
	}
	return e.Code + " (correlation id " + e.CorrelationID + ")"
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

func (h hint) matches(f Failure) bool {
	return (h.Kind == "" || h.Kind == f.Kind) && (h.Code == "" || h.Code == f.Code) &&
		(h.Contains == "" || strings.Contains(f.Message, h.Contains)) && (!h.General || f.Next == "")
}

// HintFor finds the hint of hints.yaml for a failure; empty when there is none.
func HintFor(f Failure) string {
	hints, err := LoadHints()
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

// LoadHints reads hints.yaml.
func LoadHints() ([]hint, error) {
	var hints []hint
	err := yaml.Unmarshal(hintsYAML, &hints)
	return hints, err
}
