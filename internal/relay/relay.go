// Package relay copies bytes between two connections.
package relay

import (
	"context"
	"io"
	"net"
	"sync"
)

// Join copies bytes both ways until both directions have ended, or one has if the connections cannot be half-closed, or an
// error or ctx ends it. Then it closes both.
func Join(ctx context.Context, a, b net.Conn) {
	end := sync.OnceFunc(func() { _, _ = a.Close(), b.Close() })
	defer end()
	stop := context.AfterFunc(ctx, end)
	defer stop()
	type halfCloser interface{ CloseWrite() error }
	_, halfA := a.(halfCloser)
	_, halfB := b.(halfCloser)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, err := io.Copy(way[1], way[0])
			if err != nil || !halfA || !halfB || way[1].(halfCloser).CloseWrite() != nil {
				end() // either direction may end it
			}
		})
	}
	both.Wait()
}
