//go:build unix

package agent

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// defaultPath is what Ubuntu's /etc/environment says.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/local/games:/snap/bin"

// environment is what sshd and PAM give a session: the login's own variables first, what the client sent after.
func (s *server) environment(who account.Account, e wire.Exec, terminal string) []string {
	path := defaultPath
	if s.shims != "" {
		path = s.shims + ":" + path
	}
	env := []string{
		"USER=" + who.Name, "LOGNAME=" + who.Name, "HOME=" + s.tree.Path(who.Home), "SHELL=" + who.Shell, "PATH=" + path,
		"LANG=C.UTF-8",
	}
	if who.UID != 0 {
		env = append(env, fmt.Sprintf("XDG_RUNTIME_DIR=/run/user/%d", who.UID))
	}
	if e.Terminal != nil {
		env = append(env, "TERM="+e.Terminal.Name, "SSH_TTY="+terminal)
	}
	for _, v := range e.Env {
		if name, _, ok := strings.Cut(v, "="); ok && name != "" && !strings.ContainsRune(v, 0) {
			env = setVariable(env, v)
		}
	}
	return env
}

// setVariable replaces NAME=value or adds it.
func setVariable(env []string, assignment string) []string {
	name, _, _ := strings.Cut(assignment, "=")
	for i, v := range env {
		if strings.HasPrefix(v, name+"=") {
			env[i] = assignment
			return env
		}
	}
	return append(env, assignment)
}

func variable(env []string, name string) string {
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// lookPath is exec.LookPath for an environment that is not this process's.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range filepath.SplitList(variable(env, "PATH")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}
