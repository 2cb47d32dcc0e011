package connect

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

// TestWindowsGetTheSameFlags: what runs in a window is told all that this command was told about the connection, and
// nothing of how this command shows what it did.
func TestWindowsGetTheSameFlags(t *testing.T) {
	t.Parallel()
	a := app.NewApp(nil, term.Streams{})
	root := &cobra.Command{Use: "azlin"}
	a.AddFlags(root)
	root.AddCommand(Tree(a)...)
	cmd, rest, err := root.Find([]string{
		"connect", "--new-window", "--new-tab", "-o", "json", "--jq", ".vm", "-g", "team", "--forget-host-key", "--key", "./my key", "--no-tmux",
		"-L", "1:a:2", "-L", "3:b,c:4", "--bastion", "--debug",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Fatal(err)
	}
	want := []string{"--bastion=auto", "--debug=true", "--key=./my key", "--local-forward=1:a:2", "--local-forward=3:b,c:4", "--no-tmux=true"}
	if diff := cmp.Diff(want, app.SetFlags(cmd, "accept-new-host-key", "forget-host-key")); diff != "" {
		t.Error(diff)
	}
}
