package logs

import (
	"cmp"
	"context"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

// CloudInitStatus is the result of cloud-init on a VM.
type CloudInitStatus struct {
	State    string   // "done", "running", "error - done", "degraded done"; empty: unknown
	Problems []string // its errors, and its warnings about skipped parts
}

// Err is nil unless cloud-init had problems on the VM of this name; then it is Partial.
func (s CloudInitStatus) Err(name string) error {
	if !strings.Contains(s.State, "error") && len(s.Problems) == 0 {
		return nil
	}
	return &errkind.Error{
		Kind: errkind.Partial, Op: "set up", Resource: name,
		Err:  errkind.New(errkind.Partial, "cloud-init ended with %s: %s", cmp.Or(s.State, "errors"), cmp.Or(strings.Join(s.Problems, "; "), "no details")),
		Next: errkind.Step{Action: errkind.ReadLog, VM: name, Name: string(CloudInit)},
	}
}

// AwaitCloudInit waits until cloud-init has ended.
func AwaitCloudInit(ctx context.Context, client *remote.Client) (CloudInitStatus, error) {
	said, err := client.Script(ctx, "cloud-init status --wait --long 2>/dev/null | tr -d '\\r'")
	if err != nil {
		return CloudInitStatus{}, err
	}
	return ParseCloudInit(said.Stdout), nil
}

// ParseCloudInit parses the output of 'cloud-init status --long'.
func ParseCloudInit(said string) CloudInitStatus {
	var s CloudInitStatus
	inProblems := false
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\n")
		key, value, isField := strings.Cut(line, ":")
		indented := strings.HasPrefix(line, "\t") || strings.HasPrefix(line, " ")
		switch {
		case inProblems && indented && strings.Contains(line, "- "):
			s.Problems = append(s.Problems, strings.TrimSpace(line[strings.Index(line, "- ")+2:]))
		case inProblems && indented && len(s.Problems) > 0: // the previous one continues
			s.Problems[len(s.Problems)-1] += " " + strings.TrimSpace(line)
		case isField && key == "extended_status":
			s.State = strings.TrimSpace(value)
		case isField && key == "status" && s.State == "":
			s.State = strings.TrimSpace(value)
		case isField && (key == "errors" || key == "recoverable_errors"):
			inProblems = strings.TrimSpace(value) == ""
		case isField && (key == "WARNING" || key == "ERROR" || key == "CRITICAL"): // below recoverable_errors
			inProblems = true
		case isField && !indented:
			inProblems = false // DEPRECATED is not a problem
		}
	}
	return s
}
