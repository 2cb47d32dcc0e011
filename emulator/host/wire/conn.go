// Package wire is what the emulator and the agent inside a VM say to each other: length-prefixed JSON over
// Unix sockets, with open files travelling beside it. Each command, look-up or forwarded socket has a
// connection of its own (a "call"), so that nothing needs multiplexing and an end that goes away is seen at once.
//
// Neither end trusts the other: sizes and numbers of files are bounded before anything is allocated.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// MaxMessage is the size in bytes that no message exceeds.
const MaxMessage = 4 << 20

// maxFiles is how many open files may travel with a message: the three standard streams and a directory.
const maxFiles = 4

// ErrTooLarge is returned for a message above MaxMessage.
var ErrTooLarge = errors.New("message too large")

// Conn is one end of a connection. Send may be called by several goroutines at once, Receive by one.
type Conn struct {
	sock    *net.UnixConn
	sending sync.Mutex
}

// NewConn wraps a connected Unix stream socket.
func NewConn(sock *net.UnixConn) *Conn { return &Conn{sock: sock} }

// FromFile makes a connection of an inherited or received socket and closes f.
func FromFile(f *os.File) (*Conn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("open socket: %w", err)
	}
	sock, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("open socket: not a unix socket")
	}
	return NewConn(sock), nil
}

// Pair returns two connected ends; the second is a file to hand to another process.
func Pair() (*Conn, *os.File, error) {
	near, far, err := socketPair()
	if err != nil {
		return nil, nil, fmt.Errorf("make socket pair: %w", err)
	}
	conn, err := FromFile(near)
	if err != nil {
		far.Close()
		return nil, nil, err
	}
	return conn, far, nil
}

// Close closes this end; a Receive that waits returns.
func (c *Conn) Close() error { return c.sock.Close() }

// Send writes one message and passes files with it; the files stay the caller's to close.
func (c *Conn) Send(message any, files ...*os.File) error {
	body, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if len(body) > MaxMessage {
		return ErrTooLarge
	}
	rights, err := encodeFiles(files)
	if err != nil {
		return err
	}
	packet := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body)))
	packet = append(packet, body...)

	c.sending.Lock()
	defer c.sending.Unlock()
	if rights != nil {
		n, _, err := c.sock.WriteMsgUnix(packet, rights, nil)
		if err != nil {
			return fmt.Errorf("send message: %w", err)
		}
		packet = packet[n:]
	}
	if _, err := c.sock.Write(packet); err != nil && len(packet) > 0 {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

// Receive reads one message into message and returns the files that came with it, which the caller closes.
// It returns io.EOF when the other end has gone.
func (c *Conn) Receive(message any) ([]*os.File, error) {
	var header [4]byte
	files, err := c.readHeader(header[:])
	if err != nil {
		closeAll(files)
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[:])
	if size > MaxMessage {
		closeAll(files)
		return nil, ErrTooLarge
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(c.sock, body); err != nil {
		closeAll(files)
		return nil, fmt.Errorf("receive message: %w", err)
	}
	if err := json.Unmarshal(body, message); err != nil {
		closeAll(files)
		return nil, fmt.Errorf("decode message: %w", err)
	}
	return files, nil
}

// readHeader reads the length and, as the kernel ties them to a message's first byte, the files.
func (c *Conn) readHeader(header []byte) ([]*os.File, error) {
	var files []*os.File
	control := make([]byte, controlSize)
	for got := 0; got < len(header); {
		n, cn, _, _, err := c.sock.ReadMsgUnix(header[got:], control)
		if cn > 0 {
			files = append(files, decodeFiles(control[:cn])...)
		}
		switch {
		case len(files) > maxFiles:
			return files, errors.New("receive message: too many files")
		case err != nil && errors.Is(err, io.EOF):
			return files, io.EOF
		case err != nil:
			return files, fmt.Errorf("receive message: %w", err)
		case n == 0:
			return files, io.EOF
		}
		got += n
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
