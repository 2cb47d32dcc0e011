package terminal

import (
	"strings"
	"unicode"
)

// shell is what every window runs: the system's shell, on the named pipe that holds the rest.
const shell = "/bin/sh"

// arguments is what an App is told: to open a window, or a tab, that runs the shell on pipe. A pipe's path needs no quoting
// anywhere.
func (l Launcher) arguments(a App, pipe string, c Config) []string {
	title := plain(c.Title)
	tab := c.NewTab && l.tabs(a)
	with := func(option string) []string {
		if title == "" {
			return nil
		}
		return []string{option + title}
	}
	run := []string{shell, pipe}
	t := l.surroundings().Terminal
	switch a {
	case ITerm:
		return []string{"-e", iTermScript(pipe, title, tab)}
	case AppleTerminal:
		return []string{"-e", appleTerminalScript(pipe, title)}
	case GNOMETerminal:
		where := "--window"
		if tab {
			where = "--tab"
		}
		return join([]string{where}, with("--title="), []string{"--"}, run)
	case Konsole:
		var args []string
		if tab {
			args = []string{"--new-tab"}
		}
		// A semicolon would begin another property, and a percent sign stands for something. Neither can be quoted.
		if title = without(title, ";%"); title != "" {
			args = append(args, "-p", "tabtitle="+title)
		}
		return join(args, []string{"-e"}, run)
	case XTerm:
		if title == "" {
			return join([]string{"-e"}, run)
		}
		return join([]string{"-T", title, "-e"}, run)
	case Alacritty:
		return join(with("--title="), []string{"-e"}, run)
	case Kitty:
		if tab {
			return join([]string{"@", "--to=" + t.KittyListen, "launch", "--type=tab"}, with("--tab-title="), run)
		}
		return join(with("--title="), run)
	case WezTerm: // it has no option for a title; the shell sets it
		if tab {
			return join([]string{"cli", "spawn", "--"}, run)
		}
		return join([]string{"start", "--"}, run)
	case WindowsTerminal:
		window := "new"
		if tab {
			window = "0" // the one that was used last
		}
		args := []string{"-w", window, "new-tab"}
		// A semicolon ends a command of its own, and these others mean something to whoever takes a Windows command line apart.
		if title = without(title, `;"\%`); title != "" {
			args = append(args, "--title", title)
		}
		return join(args, []string{"wsl.exe", "-d", t.WSL, "-e"}, run)
	case Tmux:
		args := []string{"new-window", "-P", "-F", "#{pane_pid}"}
		if title != "" {
			args = append(args, "-n", tmuxText(title))
		}
		return append(args, run...)
	}
	return nil // lacks has refused it
}

func join(parts ...[]string) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// plain is a title that is one line and does not end a control sequence.
func plain(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
}

func without(s, chars string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if strings.ContainsRune(chars, r) {
			return ' '
		}
		return r
	}, s))
}

// tmuxText writes a text so that tmux, which expands formats after # and ends a command at a semicolon at the end, takes it
// as it is.
func tmuxText(s string) string {
	s = strings.ReplaceAll(s, "#", "##")
	if head, ok := strings.CutSuffix(s, ";"); ok {
		s = head + `\;`
	}
	return s
}
