package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/azlin-dev/azlin/errkind"
)

// private are the files that only their owner may read.
func (p Paths) private() []string {
	return []string{p.Config, p.Contexts, p.KnownHosts, p.History, p.Audit, p.Audit + ".head"}
}

// Mend takes rights on azlin's directories and files away from other people, where they have any, and says
// what it changed. What does not exist is not made. Windows has no such rights.
func (p Paths) Mend() (notes []string, err error) {
	if runtime.GOOS == "windows" {
		return nil, nil
	}
	var errs []error
	mend := func(name string, perm fs.FileMode) {
		note, err := mendOne(name, perm)
		if note != "" {
			notes = append(notes, note)
		}
		errs = append(errs, err)
	}
	for _, dir := range []string{p.Dir, p.Operations, p.Tokens} {
		mend(dir, 0o700)
	}
	for _, file := range p.private() {
		mend(file, 0o600)
	}
	return notes, errors.Join(errs...)
}

func mendOne(name string, perm fs.FileMode) (note string, err error) {
	info, err := os.Stat(name)
	if name == "" || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "", nil // whoever needs it says that it cannot be read
	}
	if err != nil {
		return "", fmt.Errorf("check the rights on %s: %w", name, err)
	}
	had := info.Mode().Perm()
	if had&0o077 == 0 {
		return "", nil
	}
	if err := os.Chmod(name, had&perm); err != nil {
		return "", &errkind.Error{
			Kind: errkind.Prerequisite, Op: "take rights on", Resource: name + " away from others",
			Class: ErrConfig, Err: err, Next: fmt.Sprintf("chmod %04o %s", perm, name),
		}
	}
	return fmt.Sprintf("%s was open to others (%04o); it is now %04o", name, had, had&perm), nil
}
