//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// marksOf gives a command a third descriptor and reads two times in nanoseconds from it when it has ended.
func marksOf(cmd *exec.Cmd) (read func() (began, ended time.Time, err error), err error) {
	file, err := os.CreateTemp("", "azlin-bench-")
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{file}
	return func() (began, ended time.Time, err error) {
		defer func() {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}()
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return began, ended, err
		}
		var a, b int64
		if _, err := fmt.Fscan(file, &a, &b); err != nil {
			return began, ended, err
		}
		return time.Unix(0, a), time.Unix(0, b), nil
	}, nil
}
