package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azlin-dev/azlin/cmd/azlin/cli"
)

// TestCompletionKnowsEveryWord has every word of every usage either complete something or be listed here as a name of the
// person's own.
func TestCompletionKnowsEveryWord(t *testing.T) {
	t.Parallel()
	walk(cli.Root(), func(cmd *cobra.Command) {
		if !cmd.HasSubCommands() && cmd.Runnable() && cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil {
			t.Errorf("%s offers files for its arguments", cmd.CommandPath())
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			_, has := cmd.GetFlagCompletionFunc(f.Name)
			file := slices.Contains(strings.Fields("key new-key old-key ssh-key certificate secret-file federated-token-file cloud-init startup-script repo program dir record"), f.Name)
			if f.Value.Type() != "bool" && !has && !file {
				t.Errorf("%s --%s offers files", cmd.CommandPath(), f.Name)
			}
		})
	})
}

// TestCompletionInShells types lines in real shells, which offer what 'azlin' has seen, without a request.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.must("emulator", "seed", "--vms", "2", "--group", "team")
	p.must("list")
	p.must("emulator", "stop")
	bin := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(bin, "azlin")); err != nil { // see TestMain
		t.Fatal(err)
	}
	run := func(shell string, script string) string {
		t.Helper()
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Skipf("%s is not installed", shell)
		}
		cmd := exec.CommandContext(t.Context(), path, "-c", script)
		cmd.Env = append(p.environ, "PATH="+bin+":"+os.Getenv("PATH"), "AZLIN_TEST_IS_AZLIN=1")
		cmd.Dir = p.home
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
		return string(out)
	}
	const typed = `
line() { # as bash calls the function when TAB is pressed
	COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
	local spaced=${1//:/ : }
	read -ra COMP_WORDS <<<"${spaced//=/ = }"
	[[ $1 == *[[:space:]:] ]] && COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	compopt() { :; }
	__start_azlin azlin
	echo "${COMPREPLY[*]}"
}
`
	bash := func(t *testing.T, begin string) {
		out := run("bash", begin+`source <(azlin completion bash); `+typed+`
line 'azlin show vm-00'; line 'azlin connect vm-'; line 'azlin -g te'; line 'azlin stop --select state:r'; line 'azlin list '`)
		lines := strings.Split(out, "\n")
		for _, want := range []string{"vm-001", "vm-002"} {
			if !strings.Contains(lines[0], want) || !strings.Contains(lines[1], want) {
				t.Errorf("%s is not offered:\n%s", want, out)
			}
		}
		if lines[2] != "team" {
			t.Errorf("groups are completed as %q", lines[2])
		}
		if lines[3] != "running" { // behind the colon, which ends a word for bash
			t.Errorf("a selector is completed as %q", lines[3])
		}
		if lines[4] != "" {
			t.Errorf("files or other things are offered where there is nothing: %q", lines[4])
		}
	}
	t.Run("bash", func(t *testing.T) { bash(t, "") })
	t.Run("bash-completion", func(t *testing.T) {
		const file = "/usr/share/bash-completion/bash_completion"
		if _, err := os.Stat(file); err != nil {
			t.Skip(err)
		}
		bash(t, "source "+file+"; ")
	})
	t.Run("zsh", func(t *testing.T) {
		out := run("zsh", `compdef() { :; }; _describe() { print -l -- ${(P)2}; }; compadd() { :; }; _arguments() { print FILES; };
source <(azlin completion zsh); words=(azlin show vm-00); CURRENT=3; _azlin`)
		if !strings.Contains(out, "vm-001:Running") || strings.Contains(out, "FILES") {
			t.Errorf("zsh is offered\n%s", out)
		}
	})
	t.Run("fish", func(t *testing.T) {
		out := run("fish", `azlin completion fish | source; complete -C 'azlin show vm-00'`)
		if !strings.Contains(out, "vm-001\tRunning") {
			t.Errorf("fish is offered\n%s", out)
		}
	})
}
