package wire_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// pair returns two connections and the raw socket behind the second.
func pair(t testing.TB) (*wire.Conn, *wire.Conn) {
	t.Helper()
	near, file, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	far, err := wire.FromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func TestMessagesAndFiles(t *testing.T) {
	t.Parallel()
	near, far := pair(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	long := strings.Repeat("x", 1<<20)
	go func() {
		_ = near.Send(wire.Request{Op: "first"}, f, f)
		_ = near.Send(wire.Request{Op: "second", Notes: []string{long}})
		near.Close()
	}()
	var got wire.Request
	files, err := far.Receive(&got)
	if err != nil || got.Op != "first" || len(files) != 2 {
		t.Fatalf("%+v with %d files, %v", got, len(files), err)
	}
	if _, err := files[1].WriteString("through"); err != nil {
		t.Error(err)
	}
	for _, f := range files {
		f.Close()
	}
	if content, err := os.ReadFile(f.Name()); err != nil || string(content) != "through" {
		t.Errorf("%q %v", content, err)
	}
	got = wire.Request{}
	if files, err := far.Receive(&got); err != nil || len(got.Notes) != 1 || got.Notes[0] != long || len(files) != 0 {
		t.Errorf("second: %v with %d files", err, len(files))
	}
	if _, err := far.Receive(&got); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	near, _ := pair(t)
	if err := near.Send(wire.Request{Notes: []string{strings.Repeat("x", wire.MaxMessage)}}); !errors.Is(err, wire.ErrTooLarge) {
		t.Errorf("a message too large: %v", err)
	}
	f := os.Stdin
	if err := near.Send(wire.Request{}, f, f, f, f, f); err == nil {
		t.Error("five files were sent")
	}
}

// FuzzReceive feeds what a hostile agent may write.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, '{', '}'})
	f.Add(binary.BigEndian.AppendUint32(nil, wire.MaxMessage+1))
	f.Add([]byte{0, 0, 0, 9, '{'})
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		raw, err := net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
		if err != nil {
			t.Fatal(err)
		}
		sock, err := l.AcceptUnix()
		if err != nil {
			t.Fatal(err)
		}
		conn := wire.NewConn(sock)
		defer conn.Close()
		go func() {
			_, _ = raw.Write(data)
			raw.Close()
		}()
		for {
			var e wire.Event
			files, err := conn.Receive(&e)
			if len(files) > 0 {
				t.Errorf("%d files out of nothing", len(files))
			}
			if err != nil {
				return
			}
		}
	})
}
