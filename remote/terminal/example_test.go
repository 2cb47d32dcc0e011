package terminal_test

import (
	"context"
	"fmt"

	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/terminal"
)

// A window with an SSH connection, in iTerm. The host is as reach.Finder finds it, with the host key that it must show.
func ExampleLauncher_Launch() {
	launcher := terminal.Launcher{Environ: config.Environ()}
	connection := remote.Interactive{
		Host:    remote.Host{Address: "20.12.34.56", KeyPath: "/home/me/.ssh/azlin_key"},
		Session: "dev-session",
	}
	pid, err := launcher.Launch(context.Background(), connection, terminal.Config{App: terminal.ITerm, Title: "My Dev VM"})
	if err != nil {
		fmt.Println(err) // no window opens before it is known whom one talks to
		return
	}
	fmt.Println("launched terminal with PID", pid)
	// Output: connect to 20.12.34.56: its host key is not known
}
