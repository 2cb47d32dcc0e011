// Package terminal opens windows of terminal programs, and tmux windows, that run a command.
//
// What the command is goes to the new window through a named pipe that only this user can open, so that no terminal has
// to be trusted with quoting it, and nothing of it, nor of its environment, stands in an argument or in a file. That
// somebody reads from the pipe is also how it is known that the window is there. It opens windows on Linux, Windows
// Subsystem for Linux and macOS.
package terminal

import "errors"

// ErrLauncher is the class of every failure to open a window.
var ErrLauncher = errors.New("terminal launcher error")
