package repository

import (
	"bytes"
	"context"
	"errors"
	"os/exec"

	"github.com/azlin-dev/azlin/errkind"
)

// Access lists the credentials that a clone may use. The zero value allows only public repositories.
type Access struct {
	Agent      bool     // an ssh-agent is available and may be forwarded
	KnownHosts []string // the operator's own known_hosts files, for servers that are not built in
	GitHubCLI  string   // path of gh, which provides a token; empty: not installed
}

// Check checks in advance whether the clone can succeed: a local repository is readable, and for an SSH URL there is an
// agent and the server's host key is known. Its errors are Invalid and Prerequisite.
func (r *Repository) Check(ctx context.Context, a Access) error {
	if r.local == "" {
		if r.scheme != "ssh" {
			return nil
		}
		if !a.Agent {
			return &errkind.Error{
				Kind: errkind.Prerequisite, Op: "clone", Resource: r.URL,
				Err:  errors.New("an SSH URL is cloned with the keys of your ssh-agent, and none runs here"),
				Next: errkind.Step{Action: errkind.Run, Command: `eval "$(ssh-agent)" && ssh-add`},
			}
		}
		_, err := r.hostKeys(a)
		return err
	}
	out, err := exec.CommandContext(ctx, "git", "-C", r.local, "rev-parse", "--verify", "--quiet", "HEAD").CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return errkind.New(errkind.Prerequisite, "git is not installed on this machine (Debian, Ubuntu: apt install git)")
	case err != nil:
		return errkind.New(errkind.Invalid, "repository %s: not a git repository with a commit: %s", r.URL, bytes.TrimSpace(out))
	}
	return nil
}
