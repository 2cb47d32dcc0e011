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

// Mend takes rights on azlin's directories and files away from other people, where they have any, and says
// what it changed and what it could not change. What does not exist is not made. Windows has no such rights.
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
		entries, _ := os.ReadDir(dir) // whoever needs it reports that it cannot be read
		for _, e := range entries {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	for _, file := range files {
		notes = append(notes, mend(file, 0o600)...)
	}
	return notes
}

// mend leaves alone what is neither a file nor a directory, and links: what a link leads to is not azlin's.
func mend(name string, perm fs.FileMode) (notes []string) {
	info, err := os.Lstat(name)
	if name == "" || err != nil || info.Mode().Perm()&0o077 == 0 || !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	had := info.Mode().Perm()
	if err := os.Chmod(name, had&perm); err != nil {
		return []string{fmt.Sprintf("%s is open to others (%04o), and that cannot be changed: %v", name, had, err)}
	}
	// Some file systems accept a change of rights and have none.
	if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
		return []string{fmt.Sprintf("%s is open to others (%04o), and its file system has no such rights", name, had)}
	}
	return []string{fmt.Sprintf("%s was open to others (%04o); it is now %04o", name, had, had&perm)}
}
