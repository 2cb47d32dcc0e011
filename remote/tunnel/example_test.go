package tunnel_test

import (
	"context"
	"fmt"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/tunnel"
)

// A port of this machine that leads to a database which only the VM reaches.
func ExampleOpen() {
	forward, err := tunnel.ParseForward("0:db.internal:5432")
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := tunnel.Open(context.Background(), tunnel.Options{
		Forwards: []tunnel.Forward{forward},
		Route: func(context.Context) (remote.Host, error) { // as reach.Finder finds it
			return remote.Host{}, errkind.New(errkind.NotFound, "there is no VM dev")
		},
		Report: func(s tunnel.State) { fmt.Println(s.Phase) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	fmt.Println("connect to port", t.Forwards()[0].LocalPort)
	<-t.Done()
	// Output: there is no VM dev
}
