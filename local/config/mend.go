package config

import (
	"fmt"
	"io/fs"
	"os"
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
	for _, dir := range []string{p.Dir, p.Operations, p.Tokens} {
		notes = append(notes, mend(dir, 0o700)...)
	}
	for _, file := range p.private() {
		notes = append(notes, mend(file, 0o600)...)
	}
	return notes
}

func mend(name string, perm fs.FileMode) (notes []string) {
	info, err := os.Stat(name)
	if name == "" || err != nil || info.Mode().Perm()&0o077 == 0 {
		return nil // who needs it says that it cannot be read
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
