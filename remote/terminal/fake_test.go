//go:build unix

package terminal_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMain lets this binary be a terminal, or the command that runs in its window, when it is called so.
func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	if name == "record" {
		record()
		return
	}
	if read, ok := fakes()[name]; ok {
		if os.Getenv("FAKE_FAILS") != "" {
			fmt.Fprintln(os.Stderr, "cannot open display")
			os.Exit(1)
		}
		read(os.Args[1:]).show(name)
		return
	}
	os.Exit(m.Run())
}

// shown is a window as a fake terminal opens it.
type shown struct {
	App   string
	Title string
	Tab   bool

	line bool // argv[0] is a line for the login shell
	argv []string
}

// show writes down how the window looks and runs its command in the background.
func (s shown) show(app string) {
	s.App = app
	data, err := json.Marshal(s)
	check(err)
	check(os.WriteFile(os.Getenv("FAKE_OUT"), data, 0o600))
	if s.line {
		s.argv = []string{"/bin/sh", "-c", s.argv[0]}
	}
	cmd := exec.Command(s.argv[0], s.argv[1:]...)
	cmd.Stderr = os.Stderr
	check(cmd.Start()) // it lives on, as with a terminal that has a server
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// ran is what the command in a window saw.
type ran struct {
	Args []string
	Var  string
	Dir  string
}

func record() {
	dir, err := os.Getwd()
	check(err)
	data, err := json.Marshal(ran{os.Args[1:], os.Getenv("A_SECRET"), dir})
	check(err)
	out := os.Getenv("RECORD_OUT")
	check(os.WriteFile(out+".part", data, 0o600))
	check(os.Rename(out+".part", out))
	if os.Getenv("RECORD_FAILS") != "" {
		os.Exit(255)
	}
}

// fakes take their arguments apart as the terminals do, by their manuals.
func fakes() map[string]func([]string) shown {
	return map[string]func([]string) shown{
		"gnome-terminal": func(args []string) (s shown) {
			for len(args) > 0 && args[0] != "--" {
				switch a := args[0]; {
				case a == "--tab":
					s.Tab = true
				case strings.HasPrefix(a, "--title="):
					s.Title = a[len("--title="):]
				case a != "--window":
					check(fmt.Errorf("unknown option %s", a))
				}
				args = args[1:]
			}
			s.argv = args[1:]
			return s
		},
		"konsole": func(args []string) (s shown) {
			for args[0] != "-e" {
				switch args[0] {
				case "--new-tab":
					s.Tab, args = true, args[1:]
				case "-p":
					// Several properties are separated by semicolons, and %n and others stand for something.
					for p := range strings.SplitSeq(args[1], ";") {
						name, value, _ := strings.Cut(p, "=")
						if name != "tabtitle" {
							check(fmt.Errorf("property %q is set", p))
						}
						s.Title = regexp.MustCompile(`%.`).ReplaceAllString(value, "EXPANDED")
					}
					args = args[2:]
				}
			}
			for _, a := range args[1:] {
				s.argv = append(s.argv, os.ExpandEnv(a))
			}
			return s
		},
		"xterm": func(args []string) (s shown) {
			if args[0] == "-T" {
				s.Title, args = args[1], args[2:]
			}
			if args[0] != "-e" {
				check(fmt.Errorf("bad command line option %q", args[0]))
			}
			s.argv = args[1:]
			return s
		},
		"alacritty": func(args []string) (s shown) {
			if title, ok := strings.CutPrefix(args[0], "--title="); ok {
				s.Title, args = title, args[1:]
			}
			s.argv = args[1:]
			return s
		},
		"kitty": func(args []string) (s shown) {
			if args[0] == "@" {
				if args[1] != "--to=unix:/tmp/kitty" || args[2] != "launch" || args[3] != "--type=tab" {
					check(fmt.Errorf("unknown %q", args))
				}
				s.Tab, args = true, args[4:]
			}
			for _, option := range []string{"--title=", "--tab-title="} {
				if title, ok := strings.CutPrefix(args[0], option); ok {
					s.Title, args = title, args[1:]
				}
			}
			s.argv = args
			return s
		},
		"wezterm": func(args []string) (s shown) {
			n := slices.Index(args, "--")
			switch strings.Join(args[:n], " ") {
			case "cli spawn":
				s.Tab = true
			case "start":
			default:
				check(fmt.Errorf("unknown %q", args))
			}
			s.argv = args[n+1:]
			return s
		},
		"wt.exe": func(args []string) (s shown) {
			for _, a := range args {
				if strings.ContainsAny(a, `;"`) {
					check(fmt.Errorf("%q ends a command", a))
				}
			}
			s.Tab = args[1] == "0"
			if args[0] != "-w" || args[2] != "new-tab" {
				check(fmt.Errorf("unknown %q", args))
			}
			if args = args[3:]; args[0] == "--title" {
				s.Title, args = args[1], args[2:]
			}
			if strings.Join(args[:4], " ") != "wsl.exe -d Ubuntu-24.04 -e" {
				check(fmt.Errorf("unknown %q", args))
			}
			s.argv = args[4:]
			return s
		},
		"osascript": func(args []string) (s shown) {
			script := args[1]
			lines := strings.Split(script, "\n")
			if lines[0] == `tell application "Terminal"` {
				s.line = true
			}
			for _, l := range lines {
				_, literal, found := strings.Cut(l, `"`)
				if !found {
					continue
				}
				text, rest := appleRead(literal)
				if strings.TrimSuffix(rest, ")") != "" {
					check(fmt.Errorf("%q follows a string in %q", rest, l))
				}
				switch {
				case strings.Contains(l, "do script"):
					s.argv = []string{text}
				case strings.Contains(l, "with default profile command"):
					s.argv = strings.Fields(text)
					s.Tab = strings.Contains(l, "create tab")
				case strings.Contains(l, "custom title"), strings.Contains(l, "set name"):
					s.Title = text
				}
			}
			return s
		},
	}
}

// appleRead reads a string of AppleScript after its first quotation mark, as its language guide has it.
func appleRead(s string) (text, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), "the string does not end"
}
