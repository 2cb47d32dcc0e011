package terminal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

// App is a terminal program.
type App string

// The terminals that can open windows.
const (
	ITerm           App = "iterm"
	AppleTerminal   App = "terminal" // Terminal.app
	GNOMETerminal   App = "gnome-terminal"
	Konsole         App = "konsole"
	XTerm           App = "xterm"
	Alacritty       App = "alacritty"
	Kitty           App = "kitty"
	WezTerm         App = "wezterm"
	WindowsTerminal App = "windows-terminal" // from Windows Subsystem for Linux
	Tmux            App = "tmux"             // a window of the tmux session that this process is in
)

// program is the executable of an App.
func (a App) program() string {
	switch a {
	case ITerm, AppleTerminal:
		return "osascript"
	case WindowsTerminal:
		return "wt.exe"
	}
	return string(a)
}

// tabs reports whether an App can open a tab.
func (l Launcher) tabs(a App) bool {
	here := l.surroundings().Terminal
	switch a {
	case ITerm, GNOMETerminal, Konsole, WindowsTerminal:
		return true
	case Kitty:
		return here.KittyListen != "" // otherwise it accepts no remote control
	case WezTerm:
		return here.WezTerm != ""
	}
	return false
}

// here lists the Apps in which this process runs, innermost first.
func (l Launcher) here() []App {
	t := l.surroundings().Terminal
	var apps []App
	for _, c := range []struct {
		inside bool
		app    App
	}{
		{t.Tmux != "", Tmux},
		{t.Kitty != "", Kitty},
		{t.WezTerm != "", WezTerm},
		{t.Alacritty != "", Alacritty},
		{t.Konsole != "", Konsole},
		{t.GNOME != "", GNOMETerminal},
		{t.XTerm != "", XTerm},
		{t.Windows != "", WindowsTerminal},
		{t.Program == "iTerm.app", ITerm},
		{t.Program == "Apple_Terminal", AppleTerminal},
	} {
		if c.inside {
			apps = append(apps, c.app)
		}
	}
	return apps
}

// order lists the Apps in the order in which they are tried: the preferred one, those in which this process runs, those of
// the system.
func (l Launcher) order() []App {
	apps := l.here()
	if l.Preferred != "" {
		apps = append([]App{l.Preferred}, apps...)
	}
	switch {
	case l.system() == "darwin":
		apps = append(apps, ITerm, AppleTerminal)
	case l.surroundings().Terminal.WSL != "":
		apps = append(apps, WindowsTerminal)
	}
	apps = append(apps, GNOMETerminal, Konsole, Kitty, Alacritty, WezTerm, XTerm)
	var once []App
	for _, a := range apps {
		if !slices.Contains(once, a) {
			once = append(once, a)
		}
	}
	return once
}

// Available lists the Apps that can open a window here, in the order in which they are tried.
func (l Launcher) Available() []App {
	var apps []App
	for _, a := range l.order() {
		if l.lacks(a) == nil {
			apps = append(apps, a)
		}
	}
	return apps
}

// lacks returns why an App cannot be used here, or nil.
func (l Launcher) lacks(a App) error {
	t := l.surroundings().Terminal
	mac := l.system() == "darwin"
	switch a {
	case ITerm, AppleTerminal:
		if !mac {
			return errors.New("it is there on macOS only")
		}
	case WindowsTerminal:
		if t.WSL == "" {
			return errors.New("this is not Windows Subsystem for Linux")
		}
	case Tmux:
		if t.Tmux == "" {
			return errors.New("this shell is not inside tmux: start tmux first")
		}
	case GNOMETerminal, Konsole, XTerm, Alacritty, Kitty, WezTerm:
		if !mac && l.surroundings().Display == "" {
			return errNoDisplay
		}
	default:
		return fmt.Errorf("azlin knows no terminal of that name; it knows %s", strings.Join(config.Terminals(), ", "))
	}
	if _, err := l.look(a.program()); err != nil {
		return fmt.Errorf("%s is not installed%s", a.program(), packages(a, mac))
	}
	if a == ITerm && t.Program != "iTerm.app" && !l.installed("iTerm.app") {
		return errors.New("iTerm is in neither /Applications nor ~/Applications (brew install --cask iterm2)")
	}
	return nil
}

var errNoDisplay = errors.New("there is no display here (DISPLAY and WAYLAND_DISPLAY are not set)")

// packages describes how to install an App.
func packages(a App, mac bool) string {
	switch {
	case a == WindowsTerminal:
		return ", or Windows' programs are not on the PATH of this distribution"
	case a == WezTerm:
		return " (https://wezterm.org/installation)"
	case mac:
		return " (brew install " + a.program() + ")"
	}
	return " (Debian, Ubuntu: apt install " + a.program() + ")"
}

// installed reports whether a macOS application is in one of the usual directories.
func (l Launcher) installed(name string) bool {
	for _, dir := range []string{"/", l.surroundings().Home} {
		if _, err := os.Stat(filepath.Join(dir, "Applications", name)); err == nil && dir != "" {
			return true
		}
	}
	return false
}

// none is the error when no App can be used.
func (l Launcher) none() error {
	e := &errkind.Error{Kind: errkind.Prerequisite, Op: "open a window", Class: ErrLauncher}
	switch {
	case l.system() == "windows":
		e.Err = errors.New("azlin opens windows on Linux, Windows Subsystem for Linux and macOS")
	case l.system() != "darwin" && l.surroundings().Display == "":
		e.Err = fmt.Errorf("%w, and this shell is not inside tmux", errNoDisplay)
		e.Next = errkind.Step{Action: errkind.Run, Command: "tmux"}
	default:
		e.Err = fmt.Errorf("none of %s is installed", names(l.order()))
		e.Next = errkind.Step{Action: errkind.Run, Command: "sudo apt install xterm"}
	}
	return e
}

func names(apps []App) string {
	words := make([]string, len(apps))
	for n, a := range apps {
		words[n] = string(a)
	}
	return strings.Join(words, ", ")
}
