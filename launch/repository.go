package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

// Repository is a git repository to clone into the login user's home directory.
type Repository struct {
	URL    string // as given
	Name   string // the directory it goes to
	Branch string // empty: the repository's own default
	local  string // path on this machine, for a file URL
}

var (
	scpLike        = regexp.MustCompile(`^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^:]`)
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)
)

// ParseRepository checks a git URL. Credentials in it are refused: they would stay in the VM's git
// configuration and in shell histories. A file URL names a repository on this machine, whose content is
// sent to the VM.
func ParseRepository(raw, branch string) (*Repository, error) {
	invalid := func(format string, args ...any) error {
		return errkind.New(errkind.Invalid, "repository: "+format, args...)
	}
	r := &Repository{URL: raw, Branch: branch}
	if strings.HasPrefix(branch, "-") || strings.ContainsAny(branch, " \t\n\x00~^:?*[\\") {
		return nil, invalid("%q is not a branch name", branch)
	}
	var dir string
	switch {
	case strings.HasPrefix(raw, "-") || strings.ContainsAny(raw, "\n\x00"):
		return nil, invalid("%q is not a git URL", raw)
	case scpLike.MatchString(raw):
		_, dir, _ = strings.Cut(raw, ":")
	default:
		u, err := url.Parse(raw)
		if err != nil {
			return nil, invalid("this is not a git URL") // the parser's error would show a password
		}
		if _, hasPassword := u.User.Password(); hasPassword || u.User != nil && u.Scheme != "ssh" {
			return nil, invalid("the URL holds credentials; take them out, they would stay on the VM")
		}
		switch u.Scheme {
		case "https", "http", "ssh", "git":
			if u.Host == "" {
				return nil, invalid("%s names no host", raw)
			}
		case "file":
			if u.Host != "" && u.Host != "localhost" {
				return nil, invalid("%s: a file URL has three slashes", raw)
			}
			r.local = filepath.FromSlash(u.Path)
		default:
			return nil, invalid("%q is not a git URL: use https, ssh, git, file or user@host:path", raw)
		}
		dir = u.Path
	}
	r.Name = strings.TrimSuffix(path.Base(strings.TrimRight(dir, "/")), ".git")
	if r.Name == "" && r.local != "" { // file:///path/project/.git
		r.Name = filepath.Base(filepath.Dir(r.local))
	}
	if !repositoryName.MatchString(r.Name) {
		return nil, invalid("%s: cannot tell the repository's name", raw)
	}
	return r, nil
}

// check finds out before anything is created whether a local repository can be read.
func (r *Repository) check(ctx context.Context) error {
	if r.local == "" {
		return nil
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

// clone makes ~/Name on the VM. A directory that is a clone of the same URL already is left as it is, so
// that a resumed launch does not fail on it.
func (r *Repository) clone(ctx context.Context, c *remote.Client) error {
	source, input := remote.Quote(r.URL), io.Reader(nil)
	if r.local != "" {
		source = `"$bundle"`
		bundle, err := r.bundle(ctx)
		if err != nil {
			return err
		}
		input = bytes.NewReader(bundle)
	}
	branch := ""
	if r.Branch != "" {
		branch = "--branch " + remote.Quote(r.Branch) + " "
	}
	var script strings.Builder
	script.WriteString("set -eu; cd; ")
	if r.local != "" {
		script.WriteString(`bundle=$(mktemp); trap 'rm -f "$bundle"' EXIT; cat >"$bundle"; `)
	}
	fmt.Fprintf(&script, `if [ -d %[1]s/.git ] && [ "$(git -C %[1]s remote get-url origin)" = %[2]s ]; then exit 0; fi; `,
		r.Name, remote.Quote(r.URL))
	// A clone that was cut off leaves a directory behind; one made under another name and moved does not.
	fmt.Fprintf(&script, `rm -rf .azlin-clone; GIT_TERMINAL_PROMPT=0 git clone --quiet %s-- %s .azlin-clone; `, branch, source)
	if r.local != "" {
		fmt.Fprintf(&script, `git -C .azlin-clone remote set-url origin %s; `, remote.Quote(r.URL))
	}
	fmt.Fprintf(&script, `if [ -e %[1]s ]; then echo %[1]s exists already >&2; exit 1; fi; mv .azlin-clone %[1]s`, r.Name)

	var stderr bytes.Buffer
	code, err := c.Run(ctx, remote.Command{Line: "sh -c " + remote.Quote(script.String()), Stdin: input, Stderr: &stderr})
	if err != nil {
		return err
	}
	if code != 0 {
		return &errkind.Error{
			Kind: errkind.Provisioning, Op: "clone", Resource: r.URL,
			Err: fmt.Errorf("git said: %s", lastLines(stderr.String(), 3)),
		}
	}
	return nil
}

// bundle packs all branches and tags of a local repository into one stream.
func (r *Repository) bundle(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", "-C", r.local, "bundle", "create", "--quiet", "-", "HEAD", "--branches", "--tags")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "pack %s: %w: %s", r.URL, err, lastLines(stderr.String(), 3))
	}
	return out, nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}
