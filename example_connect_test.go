package azlin_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
)

// A session on a VM that goes on when its connection is lost. On a terminal, Stdin, Stdout and Stderr would be the
// process's own and Command empty, for the tmux session; see remote.ConnectSSH.
func Example_reconnecting() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	w.launch("dev")
	match, err := w.VMs.Resolve(ctx, "dev", "azlin-rg")
	check(err)
	options := reach.Options{KeyPath: w.key.Private}
	h, err := w.Hosts.Host(ctx, match.VM, options)
	check(err)
	handler := remote.ReconnectHandler{
		MaxAttempts: 5,
		Route:       w.Hosts.Again(match.VM, options),
		Diagnose: func(ctx context.Context, _ remote.Host) error {
			return w.Operator.Check(ctx, match.VM.Name, match.VM.NICs)
		},
		Report: func(e remote.ReconnectEvent) { fmt.Println(e.Phase, e.Attempt) },
	}
	in := remote.Interactive{Host: h, KnownHosts: w.Hosts.KnownHosts, Command: []string{"exit 3"}}
	code, err := remote.Connector{ReconnectHandler: handler}.Connect(ctx, in)
	check(err)
	fmt.Println("ended with", code)

	// The same for an ssh that somebody else ran.
	if code = 255; remote.IsDisconnectExitCode(code) && remote.ShouldAttemptReconnect(code) {
		code, err = handler.HandleDisconnect(ctx, code, in)
		check(err)
		fmt.Println("ended with", code)
	}
	in.Host.User = "nobody-there"
	_, err = remote.Connector{ReconnectHandler: handler}.Connect(ctx, in)
	fmt.Println(errors.Is(err, remote.ErrKeyRefused), err)
	// Output:
	// ended with 3
	// lost 0
	// waiting 1
	// back 1
	// ended with 3
	// true connect to dev: the VM accepts none of the offered keys for user nobody-there
}
