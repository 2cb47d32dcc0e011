package terminal

import "strings"

// appleQuote quotes s as an AppleScript string.
func appleQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain(s)) + `"`
}

// appleTerminalScript opens a window of Terminal.app whose shell is replaced by the command. It cannot open tabs.
func appleTerminalScript(pipe, title string) string {
	lines := []string{
		`tell application "Terminal"`,
		`activate`,
		`set opened to do script ` + appleQuote("exec "+shell+" "+pipe),
	}
	if title != "" {
		lines = append(lines, `set custom title of opened to `+appleQuote(title))
	}
	return strings.Join(append(lines, `end tell`), "\n")
}

// iTermScript opens a window of iTerm, or a tab of the front window if there is one.
func iTermScript(pipe, title string, tab bool) string {
	command := appleQuote(shell + " " + pipe)
	lines := []string{`tell application "iTerm"`, `activate`}
	window := `set opened to (create window with default profile command ` + command + `)`
	if tab {
		lines = append(lines,
			`if (count of windows) is 0 then`, window, `else`,
			`set opened to current window`,
			`tell opened to create tab with default profile command `+command,
			`end if`)
	} else {
		lines = append(lines, window)
	}
	if title != "" {
		lines = append(lines, `tell current session of opened to set name to `+appleQuote(title))
	}
	return strings.Join(append(lines, `end tell`), "\n")
}
