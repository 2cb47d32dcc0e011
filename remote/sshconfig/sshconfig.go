// Package sshconfig lets ssh, and every program that runs it, find azlin's VMs by name: it writes Host blocks to azlin's own
// files, and one Include to the user's configuration, which otherwise stays unchanged.
package sshconfig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/knownhosts"
)

// ErrSSHConfig is the class of this package's failures.
var ErrSSHConfig = errors.New("ssh configuration error")

// Files are the paths of the configuration.
type Files struct {
	User string // the user's own, ~/.ssh/config
	Dir  string // of azlin's files, one per set of VMs
}

// Entry is one VM.
type Entry struct {
	Names []string // host names for ssh
	Host  remote.Host
}

// ownership is the first line of every file that azlin may replace or remove.
const ownership = "# Written by azlin, and written anew each time: changes are lost.\n"

// Render returns a file with a block for each VM.
func Render(entries []Entry, known knownhosts.File) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(ownership)
	for _, e := range entries {
		block, err := e.Host.ConfigBlock(e.Names, known)
		if err != nil {
			return nil, err
		}
		b.WriteString("\n" + block)
	}
	return b.Bytes(), nil
}

// Path is the file of a set of VMs.
func (f Files) Path(set string) string { return filepath.Join(f.Dir, set+".conf") }

// Write replaces the file of a set of VMs. A file that azlin did not write is a Conflict and stays unchanged.
func (f Files) Write(ctx context.Context, set string, content []byte) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return failed("write", f.Path(set), err)
	}
	return f.locked(ctx, func() error {
		old, err := f.own(set)
		if err != nil || bytes.Equal(old, content) {
			return err
		}
		return failed("write", f.Path(set), atomicfile.Write(f.Path(set), content, 0o600))
	})
}

// Others returns the names, in lower case, that the files of other sets give to VMs, with their VMs.
func (f Files) Others(set string) (map[string]Other, error) {
	paths, err := filepath.Glob(filepath.Join(f.Dir, "*.conf"))
	if err != nil {
		return nil, failed("read", f.Dir, err)
	}
	others := map[string]Other{}
	for _, path := range paths {
		of := strings.TrimSuffix(filepath.Base(path), ".conf")
		if of == set {
			continue
		}
		data, err := atomicfile.Read(path)
		if err != nil {
			return nil, failed("read", path, err)
		}
		for name, alias := range hosts(data) {
			others[name] = Other{Set: of, alias: alias}
		}
	}
	return others, nil
}

// Other is a VM of another set.
type Other struct {
	Set   string
	alias string // alias of its host key
}

// Is reports whether it is the VM with this id.
func (o Other) Is(vmID string) bool { return o.alias == knownhosts.Alias(vmID) }

// UsersHosts returns the names, in lower case, that have a Host block in the user's own configuration.
func (f Files) UsersHosts() (map[string]bool, error) {
	data, err := atomicfile.Read(f.User)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, failed("read", f.User, err)
	}
	names := map[string]bool{}
	for name := range hosts(data) {
		names[name] = true
	}
	return names, nil
}

// hosts returns the names, in lower case, on the Host lines of a configuration, except patterns, with their HostKeyAlias.
func hosts(config []byte) map[string]string {
	aliases := map[string]string{}
	var block []string
	for line := range strings.Lines(string(config)) {
		switch keyword, rest := directive(line); keyword {
		case "match":
			block = nil
		case "host":
			block = nil
			for name := range strings.FieldsSeq(rest) {
				if name = strings.ToLower(strings.Trim(name, `"`)); !strings.ContainsAny(name, "*?!#") {
					block = append(block, name)
					aliases[name] = ""
				}
			}
		case "hostkeyalias":
			for _, name := range block {
				aliases[name] = rest
			}
		}
	}
	return aliases
}

// directive splits a line of a configuration into its keyword, in lower case, and the rest.
func directive(line string) (keyword, rest string) {
	line = strings.TrimSpace(line)
	at := max(0, strings.IndexAny(line, " \t="))
	return strings.ToLower(line[:at]), strings.Trim(line[at:], " \t=")
}

// own reads the file of a set; nil: absent.
func (f Files) own(set string) ([]byte, error) {
	data, err := atomicfile.Read(f.Path(set))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, failed("read", f.Path(set), err)
	case !bytes.HasPrefix(data, []byte(ownership)):
		return nil, &errkind.Error{
			Kind: errkind.Conflict, Op: "write", Resource: f.Path(set), Class: ErrSSHConfig,
			Err: errors.New("azlin did not write this file; move it away"), Next: errkind.Step{Action: errkind.WriteHosts},
		}
	}
	return data, nil
}

// locked excludes other processes of azlin. The lock is in azlin's directory, to leave nothing in the user's.
func (f Files) locked(ctx context.Context, change func() error) error {
	return atomicfile.Locked(ctx, filepath.Join(f.Dir, "include"), change)
}

func failed(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &errkind.Error{Op: op, Resource: path, Class: ErrSSHConfig, Err: err}
}

// Include is the line for the user's configuration, with a comment line that names azlin.
func (f Files) Include() string {
	return "# The VMs of azlin, which wrote these two lines.\nInclude " + quote(filepath.Join(f.Dir, "*.conf")) + "\n"
}

// quote quotes a path for ssh.
func quote(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}

// Included reports whether the user's configuration includes azlin's files, for all hosts.
func (f Files) Included() (bool, error) {
	data, err := atomicfile.Read(f.User)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, failed("read", f.User, err)
	}
	return f.includes(data), nil
}

// includes searches the part before the first block, because a block's content applies only to its hosts.
func (f Files) includes(data []byte) bool {
	want := filepath.Join(f.Dir, "*.conf")
	for line := range strings.Lines(string(data)) {
		keyword, rest := directive(line)
		switch keyword {
		case "host", "match":
			return false
		case "include":
			if rest == want || rest == quote(want) {
				return true
			}
		}
	}
	return false
}

// AddInclude adds the Include at the beginning of the user's configuration if it is missing, and keeps every other byte. A
// symbolic link is kept.
func (f Files) AddInclude(ctx context.Context) error {
	return f.edit(ctx, func(old []byte) []byte {
		if f.includes(old) {
			return old
		}
		return append([]byte(f.Include()), old...)
	})
}

// Remove removes the file of a set, and with the last one the Include. The rest of the user's configuration stays unchanged;
// if it is then empty, it is removed.
func (f Files) Remove(ctx context.Context, set string) error {
	if _, err := os.Stat(f.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := f.locked(ctx, func() error {
		if _, err := f.own(set); err != nil {
			return err
		}
		if err := os.Remove(f.Path(set)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed("remove", f.Path(set), err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if others, err := filepath.Glob(filepath.Join(f.Dir, "*.conf")); err != nil || len(others) > 0 {
		return err
	}
	return f.edit(ctx, func(old []byte) []byte { return bytes.Replace(old, []byte(f.Include()), nil, 1) })
}

// edit changes the user's configuration.
func (f Files) edit(ctx context.Context, change func([]byte) []byte) error {
	return f.locked(ctx, func() error {
		perm := fs.FileMode(0o600)
		path, err := atomicfile.Target(f.User)
		if err != nil {
			return failed("read", f.User, err)
		}
		old, err := atomicfile.Read(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed("read", f.User, err)
		}
		if info, err := os.Stat(path); err == nil {
			perm = info.Mode().Perm()
		}
		data := change(old)
		switch {
		case bytes.Equal(data, old):
			return nil
		case len(data) == 0:
			return failed("remove", f.User, os.Remove(path))
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return failed("write", f.User, err)
		}
		if err := atomicfile.Write(path, data, perm); err != nil {
			return failed("write", f.User, fmt.Errorf("it is as it was: %w", err))
		}
		return nil
	})
}
