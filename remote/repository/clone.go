package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

// Clone creates ~/Name on the VM. A directory that is already a clone of the same URL is kept, so that a resumed launch does
// not fail.
// An HTTPS repository is tried without a token first, because public ones need none.
func (r *Repository) Clone(ctx context.Context, c *remote.Client, a Access) error {
	switch r.scheme {
	case "file":
		bundle, err := r.bundle(ctx)
		if err != nil {
			return err
		}
		return r.run(ctx, c, attempt{
			setup: `bundle=$(mktemp); trap 'rm -f "$bundle"' EXIT; cat >"$bundle"; `, source: `"$bundle"`, input: bytes.NewReader(bundle),
		})
	case "ssh":
		keys, err := r.hostKeys(a)
		if err != nil {
			return err
		}
		return r.run(ctx, c, attempt{
			setup: `known=$(mktemp); trap 'rm -f "$known"' EXIT; cat >"$known"; ` +
				`export GIT_SSH_COMMAND="ssh -o UserKnownHostsFile=$known -o GlobalKnownHostsFile=/dev/null ` +
				`-o StrictHostKeyChecking=yes -o BatchMode=yes"; `,
			input: strings.NewReader(keys), agent: true,
		})
	}
	err := r.run(ctx, c, attempt{})
	if r.scheme != "https" || !wantsSignIn(err) {
		return err
	}
	token, err := r.token(ctx, a)
	if err != nil {
		return err
	}
	return r.run(ctx, c, attempt{
		setup: "IFS= read -r AZLIN_GIT_TOKEN; export AZLIN_GIT_TOKEN; ",
		options: "-c credential.helper= -c " + remote.Quote("credential.https://"+r.host+".helper="+
			`!f() { test "$1" = get && printf 'username=x-access-token\npassword=%s\n' "$AZLIN_GIT_TOKEN"; }; f`) + " ",
		input: strings.NewReader(token + "\n"),
	})
}

// attempt is one way to run git clone.
type attempt struct {
	setup   string // shell commands before it
	options string // git's own, before the word clone
	source  string // a shell word; empty: the URL
	input   io.Reader
	agent   bool
}

// gitError is git's message after a failure.
type gitError struct{ text string }

func (e *gitError) Error() string { return "git said: " + lastLines(e.text, 3) }

func (r *Repository) run(ctx context.Context, c *remote.Client, a attempt) error {
	if a.source == "" {
		a.source = remote.Quote(r.URL)
	}
	branch := ""
	if r.Branch != "" {
		branch = "--branch " + remote.Quote(r.Branch) + " "
	}
	var script strings.Builder
	script.WriteString("set -eu; cd; export GIT_TERMINAL_PROMPT=0 LC_ALL=C; " + a.setup)
	// A clone whose connection was lost continues; a later one waits for it and uses its result.
	script.WriteString("if command -v flock >/dev/null; then exec 9<.; flock -w 600 9 || { echo another clone of it is still at work >&2; exit 1; }; fi; ")
	fmt.Fprintf(&script, `if [ -d %[1]s/.git ] && [ "$(git -C %[1]s remote get-url origin)" = %[2]s ]; then exit 0; fi; `,
		r.Name, remote.Quote(r.URL))
	// An interrupted clone leaves a directory behind; cloning to another name and moving it avoids that.
	fmt.Fprintf(&script, `rm -rf .azlin-clone; git %sclone --quiet %s-- %s .azlin-clone; `, a.options, branch, a.source)
	if r.local != "" {
		fmt.Fprintf(&script, `git -C .azlin-clone remote set-url origin %s; `, remote.Quote(r.URL))
	}
	fmt.Fprintf(&script, `if [ -e %[1]s ]; then echo %[1]s exists already >&2; exit 1; fi; mv .azlin-clone %[1]s`, r.Name)

	var stderr bytes.Buffer
	code, err := c.Run(ctx, remote.Command{
		Script: script.String(), Stdin: a.input, Stderr: &stderr, ForwardAgent: a.agent,
	})
	if err != nil {
		return err
	}
	if code != 0 {
		return &errkind.Error{Kind: errkind.Provisioning, Op: "clone", Resource: r.URL, Err: &gitError{stderr.String()}}
	}
	return nil
}

// signIn matches git's message, in the C locale, when a server requires a login. Forges answer so for private and for absent
// repositories.
var signIn = regexp.MustCompile(`could not read (Username|Password) for|Authentication failed for|terminal prompts disabled`)

func wantsSignIn(err error) bool {
	failure, ok := errors.AsType[*gitError](err)
	return ok && signIn.MatchString(failure.text)
}

// token reads the token of the repository's host from the GitHub CLI. It is passed through pipes only.
func (r *Repository) token(ctx context.Context, a Access) (string, error) {
	refused := func(reason, next string) error {
		return &errkind.Error{
			Kind: errkind.Permission, Op: "clone", Resource: r.URL,
			Err: errors.New("it is private or not there; " + reason), Next: errkind.Step{Action: errkind.Run, Command: next},
		}
	}
	signIn := "gh auth login --hostname " + r.host
	if a.GitHubCLI == "" {
		return "", refused("private repositories are opened with the GitHub CLI's sign-in, and gh is not installed", signIn)
	}
	out, err := exec.CommandContext(ctx, a.GitHubCLI, "auth", "token", "--hostname", r.host).Output()
	token := strings.TrimSpace(string(out))
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil || token == "" || strings.ContainsAny(token, " \t\r\n"):
		return "", refused("the GitHub CLI is not signed in to "+r.host, signIn)
	}
	return token, nil
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

// lastLines leaves out git's general advice after every failure.
func lastLines(s string, n int) string {
	var lines []string
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if line != "" && line != "Please make sure you have the correct access rights" && line != "and the repository exists." {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}
