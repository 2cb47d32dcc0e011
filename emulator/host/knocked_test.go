package host_test

import (
	"context"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestRestartWhileSomebodyKnocks restarts a VM at whose address clients try to connect all the time.
func TestRestartWhileSomebodyKnocks(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	m := l.machine("knocked")
	l.start(m)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var knocking sync.WaitGroup
	for range 8 {
		knocking.Go(func() {
			for ctx.Err() == nil {
				d := net.Dialer{Timeout: 50 * time.Millisecond}
				if c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(m.Addresses[0].String(), strconv.Itoa(l.Port()))); err == nil {
					_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) // it shows when it is read
					_, _ = c.Read(make([]byte, 4))                               // who answers is of no matter
					_ = c.Close()                                                // it was only a knock
				}
			}
		})
	}
	for n := range 10 {
		if err := l.Restart(t.Context(), m.ID); err != nil {
			t.Fatalf("restart %d: %v", n, err)
		}
	}
	cancel()
	knocking.Wait()
}
