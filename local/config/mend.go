package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// private are the files that only their owner may read.
func (p Paths) private() []string {
	return []string{p.Config, p.Contexts, p.KnownHosts, p.History, p.Audit, p.Audit + ".head"}
}

// Mend removes other users' permissions on azlin's directories and files, and returns what it changed and what it could not
// change. It creates nothing. Windows has no such permissions.
func (p Paths) Mend() (notes []string) {
	if runtime.GOOS == "windows" {
		return nil
	}
	files := p.private()
	for _, dir := range []string{p.Dir, p.Operations, p.Tokens, p.Templates} {
		notes = append(notes, mend(dir, 0o700)...)
		if dir == p.Dir {
			continue // its files are in the list
		}
		entries, _ := os.ReadDir(dir) // whoever needs it reports that it is unreadable
		for _, e := range entries {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	for _, file := range files {
		notes = append(notes, mend(file, 0o600)...)
	}
	return notes
}

// mend changes only files and directories, no links: their targets are not azlin's.
func mend(name string, perm fs.FileMode) (notes []string) {
	info, err := os.Lstat(name)
	if name == "" || err != nil || info.Mode().Perm()&0o077 == 0 || !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	had := info.Mode().Perm()
	if err := os.Chmod(name, had&perm); err != nil {
		return []string{fmt.Sprintf("%s is open to others (%04o), and that cannot be changed: %v", name, had, err)}
	}
	// Some file systems accept a change of permissions without effect.
	if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
		return []string{fmt.Sprintf("%s is open to others (%04o), and its file system has no such rights", name, had)}
	}
	return []string{fmt.Sprintf("%s was open to others (%04o); it is now %04o", name, had, had&perm)}
}
