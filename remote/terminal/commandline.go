package terminal

import (
	"strings"
	"unicode"
)

// shell is what every window runs: the system's shell, with the named pipe as its script.
const shell = "/bin/sh"

// arguments returns an App's arguments to open a window, or a tab, that runs the shell on pipe. The pipe's path needs no
// quoting.
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
		// A semicolon would begin another property, and a percent sign is special. They cannot be quoted.
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
			window = "0" // the most recently used one
		}
		args := []string{"-w", window, "new-tab"}
		// A semicolon separates commands, and the others are special when a Windows command line is parsed.
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

// plain is a title on one line that does not end a control sequence.
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

// tmuxText quotes a text for tmux, which expands formats after # and ends a command at a final semicolon.
func tmuxText(s string) string {
	s = strings.ReplaceAll(s, "#", "##")
	if head, ok := strings.CutSuffix(s, ";"); ok {
		s = head + `\;`
	}
	return s
}
