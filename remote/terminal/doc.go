// Package terminal opens windows of terminal programs, and tmux windows, that run a command.
// The command is passed to the new window through a named pipe that only this user can open. So no terminal must quote it,
// and neither it nor its environment is visible in an argument or a file. When the pipe is read, the window is open. It
// works on Linux, Windows Subsystem for Linux and macOS.
package terminal

import "errors"

// ErrLauncher is the class of every failure to open a window.
var ErrLauncher = errors.New("terminal launcher error")
