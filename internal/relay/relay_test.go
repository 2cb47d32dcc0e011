package relay_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/azlin-dev/azlin/internal/relay"
)

// pair is the two ends of a TCP connection.
func pair(t *testing.T) (net.Conn, net.Conn) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), out.Close() })
	return out, in
}

// TestHalfClose: whoever has said all still hears the answer.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	client, a := pair(t)
	b, server := pair(t)
	done := make(chan struct{})
	go func() {
		relay.Join(t.Context(), a, b)
		close(done)
	}()
	if _, err := io.WriteString(client, "question"); err != nil {
		t.Fatal(err)
	}
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(server); string(got) != "question" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := io.WriteString(server, "answer"); err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	if got, err := io.ReadAll(client); string(got) != "answer" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	<-done
}

// whole cannot be closed one way at a time.
type whole struct{ net.Conn }

// TestEnds: the end of one side, where there are no halves, and that of the context are the end of both.
func TestEnds(t *testing.T) {
	t.Parallel()
	client, a := pair(t)
	b, server := pair(t)
	go relay.Join(t.Context(), whole{a}, b)
	_ = server.Close()
	if _, err := io.ReadAll(client); err != nil {
		t.Error(err)
	}
	client, a = pair(t)
	b, server = pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	go relay.Join(ctx, a, b)
	cancel()
	_, _ = io.ReadAll(client) // it ends, in whatever way
	_, _ = io.ReadAll(server)
}
