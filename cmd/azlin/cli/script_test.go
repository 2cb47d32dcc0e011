package cli_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/azlin-dev/azlin/cmd/azlin/cli"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/test/wait"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	if len(os.Args) > 2 && os.Args[1] == "emulator" && os.Args[2] == "serve" {
		// The background process of an emulator that a test started in this binary.
		os.Exit(cli.Main(context.Background(), os.Args[1:], config.Environ(), cli.SystemStreams(config.Environ())))
	}
	// The ProxyCommand of an ssh, what a new window runs, and the process behind a tunnel, that a test started.
	if len(os.Args) > 1 && slices.Contains([]string{"proxy", "connect", "tunnel"}, os.Args[1]) || slices.Contains(config.Environ(), "AZLIN_TEST_IS_AZLIN=1") {
		os.Exit(cli.Main(context.Background(), os.Args[1:], config.Environ(), cli.SystemStreams(config.Environ())))
	}
	testscript.Main(m, map[string]func(){
		"azlin": func() {
			watched()
			os.Exit(cli.Main(context.Background(), os.Args[1:], config.Environ(), cli.SystemStreams(config.Environ())))
		},
	})
}

// TestScripts runs the command as a user would, each script in a home directory and with an emulator of
// its own.
func TestScripts(t *testing.T) {
	params := scriptParams()
	params.Dir = "testdata/script"
	testscript.RunT(judging{t}, params)
}

func scriptParams() testscript.Params {
	return testscript.Params{
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		ContinueOnError:     true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"terminal": openTerminal,
			"type":     typeLine,
			"screen":   waitForScreen,
			"cuts":     cut,

			"struck":     waitForFault,
			"appears":    waitForFile,
			"eventually": waitForOutput,
			"killed":     killed,

			"devices":   setDevices,
			"decide":    decideDevice,
			"challenge": challengeAll,
			"typefile":  typeFile,
			"proxy":     behindProxy,
			"azure":     askAzure,

			"server": serveEcho,
			"say":    sayTo,
			"keep":   keepOutput,
		},
	}
}

func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("AZLIN_CONFIG_DIR", filepath.Join(home, ".azlin"))
	env.Setenv("AZLIN_CONTEXT", "emulator")
	env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	env.Setenv("TMUX_TMPDIR", env.WorkDir)
	env.Setenv("TERM", "xterm-256color")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector would keep each azlin for a second after its end
	env.Defer(func() {
		// What a script started in the background must not outlive it. Terminals go first: what connects in one would start the
		// emulator again.
		dir := filepath.Join(home, ".azlin", "emulator")
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		for n := range 8 { // those that openTerminal may have opened
			kill := exec.CommandContext(ctx, "tmux", "-L", strings.Repeat("t", n+1), "kill-server")
			kill.Env = append(os.Environ(), "TMUX_TMPDIR="+env.WorkDir)
			_ = kill.Run() // most scripts have none
		}
		if err := emulator.Stop(ctx, dir); err != nil && !strings.Contains(err.Error(), emulator.ErrNotRunning.Error()) {
			env.T().Log("stop the emulator:", err)
		}
	})
	return nil
}

// tmux runs tmux on the server of the script's current terminal.
func tmux(ts *testscript.TestScript, args ...string) string {
	cmd := exec.Command("tmux", append([]string{"-L", ts.Getenv("TERMINAL")}, args...)...)
	cmd.Env = append(os.Environ(), "TMUX_TMPDIR="+ts.Getenv("TMUX_TMPDIR"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Logf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// openTerminal opens a terminal of 120 by 30 that runs a shell line, says with which exit code it ended, and
// closes the terminal that was open before.
func openTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: terminal LINE")
	}
	old := ts.Getenv("TERMINAL")
	if old != "" {
		tmux(ts, "kill-server")
	}
	ts.Setenv("TERMINAL", old+"t")
	ts.Check(ts.Exec("tmux", "-L", old+"t", "new-session", "-d", "-x", "120", "-y", "30", args[0]+`; echo "ended with $?"; sleep 60`))
}

// typeLine types a line and presses Enter.
func typeLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: type LINE")
	}
	tmux(ts, "send-keys", "-l", args[0])
	tmux(ts, "send-keys", "Enter")
}

// waitForScreen waits until the screen matches a regular expression.
func waitForScreen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: screen REGEXP")
	}
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	var screen string
	wait.Until(ts, "seen "+args[0], func() bool {
		screen = tmux(ts, "capture-pane", "-p")
		return want.MatchString(screen)
	}, func() string { return "the screen shows\n" + screen })
}
