// Package repository clones git repositories to VMs: public and private ones over the network, and those of the operator's
// own machine through the SSH connection.
// No credentials stay on the VM. Over SSH the operator's agent is forwarded during the clone, to a server whose host key is
// already known; over HTTPS a token is passed through standard input.
package repository

import (
	"cmp"
	"encoding/json"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// Repository is a git repository to clone into the login user's home directory.
type Repository struct {
	URL    string `json:"url"`              // as given
	Name   string `json:"name"`             // the target directory
	Branch string `json:"branch,omitempty"` // empty: the repository's own default

	scheme string // "ssh", "https", "http", "git" or "file"
	host   string // with the port unless it is the scheme's default; empty for a file URL
	local  string // path on this machine, for a file URL
}

var (
	scpLike        = regexp.MustCompile(`^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^:]`)
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)
)

// Parse parses a git URL. Credentials in it are refused, because they would stay in the VM's git configuration and in shell
// histories. A file URL names a repository on this machine, whose content is sent to the VM.
func Parse(raw, branch string) (*Repository, error) {
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
		var server string
		server, dir, _ = strings.Cut(raw, ":")
		_, r.host, _ = strings.Cut(server, "@")
		r.scheme = "ssh"
	default:
		u, err := url.Parse(raw)
		if err != nil {
			return nil, invalid("this is not a git URL") // the parser's error would show a password
		}
		if _, hasPassword := u.User.Password(); hasPassword || u.User != nil && u.Scheme != "ssh" {
			return nil, invalid("the URL holds credentials; take them out, they would stay on the VM")
		}
		r.scheme, r.host = u.Scheme, u.Host
		switch u.Scheme {
		case "https", "http", "ssh", "git":
			if u.Host == "" {
				return nil, invalid("%s names no host", raw)
			}
		case "file":
			if u.Host != "" && u.Host != "localhost" {
				return nil, invalid("%s: a file URL has three slashes", raw)
			}
			r.host, r.local = "", filepath.FromSlash(u.Path)
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

// UnmarshalJSON decodes a stored Repository, with Parse's checks.
func (r *Repository) UnmarshalJSON(data []byte) error {
	var raw struct{ URL, Branch string }
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	parsed, err := Parse(raw.URL, raw.Branch)
	if err == nil {
		*r = *parsed
	}
	return err
}

// server is the host and port of an SSH URL, as in known_hosts.
func (r *Repository) server() (host, port string) {
	host, port, found := strings.Cut(r.host, ":")
	if strings.HasPrefix(r.host, "[") {
		end := strings.Index(r.host, "]")
		host, port = r.host[1:max(1, end)], strings.TrimPrefix(r.host[end+1:], ":")
	} else if !found {
		port = ""
	}
	return host, cmp.Or(port, "22")
}
