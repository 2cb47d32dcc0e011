package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/local/prereq"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// tools checks the programs that azlin runs. Only ssh is always required.
func tools(ctx context.Context, s Subject) []Finding {
	var all []Finding
	for _, t := range prereq.RequiredTools() {
		f := Finding{Check: "tool " + t.Name, Status: OK}
		version, err := t.Version(ctx)
		switch {
		case err == nil:
			f.Detail = version
		case prereq.CheckTool(t.Name):
			f.Status, f.Detail = Warning, "it is installed but does not tell its version: "+err.Error()
		default:
			f.Status, f.Detail = Warning, fmt.Sprintf("not installed; needed to %s", t.For[0])
			f.Next = errkind.Step{Action: errkind.Run, Command: "sudo apt install " + t.Package}
			if t.Name == "ssh" || t.Name == "az" && s.Auth != nil && s.Auth.Method() == "Azure CLI" {
				f.Status = Failed
			}
		}
		all = append(all, f)
	}
	return all
}

// files checks whether others can read secret files.
func files(_ context.Context, s Subject) []Finding {
	if runtime.GOOS == "windows" {
		return []Finding{{Check: "file permissions", Status: Skipped, Detail: "Windows keeps other people out of your profile by itself"}}
	}
	private := []string{
		s.Paths.Dir, s.Paths.Config, s.Paths.Contexts, s.Paths.KnownHosts, s.Paths.Audit, s.Paths.Operations, s.Paths.Tokens,
		filepath.Join(s.Paths.SSHDir, keypair.DefaultKeyName),
	}
	var all []Finding
	for _, name := range private {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			all = append(all, Finding{Check: "file permissions", Status: Warning, Detail: err.Error()})
			continue
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			all = append(all, Finding{
				Check: "file permissions", Status: Warning,
				Detail: fmt.Sprintf("other people may use %s (mode %04o)", name, mode), Next: errkind.Step{Action: errkind.Run, Command: "chmod go= " + remote.Quote(name)},
			})
		}
	}
	if all == nil {
		all = []Finding{{Check: "file permissions", Status: OK, Detail: "only you can read azlin's files"}}
	}
	return all
}

// configuration reads both files as every command does.
func configuration(_ context.Context, s Subject) []Finding {
	f := Finding{Check: "configuration", Status: OK, Detail: s.Paths.Config}
	_, err := config.Load(s.Paths.Config)
	if err == nil {
		_, err = config.LoadContexts(s.Paths.Contexts)
	}
	if err != nil {
		f.Status, f.Detail = Failed, strings.ReplaceAll(err.Error(), "\n", " ")
		f.Next = errkind.Step{Action: errkind.EditConfig}
	}
	return []Finding{f}
}

// auditLog verifies the whole log.
func auditLog(ctx context.Context, s Subject) []Finding {
	const check = "audit log"
	if s.Paths.Audit == "" {
		return nil
	}
	report, err := audit.Open(s.Paths.Audit).Verify(ctx)
	advice := fmt.Sprintf("keep a copy of %s, then move it and %[1]s.head away; a new log begins with the next change", s.Paths.Audit)
	switch {
	case err != nil:
		return []Finding{{Check: check, Status: Failed, Detail: errkind.Sentence(err), Advice: advice}}
	case !report.OK():
		return []Finding{{
			Check: check, Status: Failed, Detail: fmt.Sprintf("%s, record %d: %s", s.Paths.Audit, report.Broken, report.Reason), Advice: advice,
		}}
	case report.Records == 0:
		return []Finding{{Check: check, Status: OK, Detail: "no change was made from this machine yet"}}
	}
	return []Finding{{Check: check, Status: OK, Detail: fmt.Sprintf("%d records, none edited or missing", report.Records)}}
}
