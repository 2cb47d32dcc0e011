// Package memnet is a network in memory, by which clients of the same process reach the emulator.
package memnet

import (
	"io"
	"net"
	"sync"
	"time"
)

// pipeSize is how much a side may write before the other reads, as with a socket.
const pipeSize = 256 << 10

// stream is one direction of a pipe.
type stream struct {
	mu     sync.Mutex
	change sync.Cond
	data   []byte
	closed bool
}

func newStream() *stream {
	s := &stream{}
	s.change.L = &s.mu
	return s
}

func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.data) == 0 {
		if s.closed {
			return 0, io.EOF
		}
		s.change.Wait()
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	s.change.Broadcast()
	return n, nil
}

func (s *stream) Write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(p) > 0 {
		for len(s.data) >= pipeSize && !s.closed {
			s.change.Wait()
		}
		if s.closed {
			return n, io.ErrClosedPipe
		}
		m := min(len(p), pipeSize-len(s.data))
		s.data = append(s.data, p[:m]...)
		p, n = p[m:], n+m
		s.change.Broadcast()
	}
	return n, nil
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.change.Broadcast()
}

// pipeEnd is one end of a connection in memory that holds what was written until it is read, unlike net.Pipe: two
// ends that both write first do not wait for one another. It knows no deadlines.
type pipeEnd struct {
	in, out *stream
}

// NewPipe makes a connection and returns its two ends.
func NewPipe() (a, b net.Conn) {
	x, y := newStream(), newStream()
	return pipeEnd{x, y}, pipeEnd{y, x}
}

func (e pipeEnd) Read(p []byte) (int, error)  { return e.in.Read(p) }
func (e pipeEnd) Write(p []byte) (int, error) { return e.out.Write(p) }

// Close ends both directions. What was written can still be read.
func (e pipeEnd) Close() error {
	e.in.close()
	e.out.close()
	return nil
}

func (pipeEnd) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (pipeEnd) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (pipeEnd) SetDeadline(time.Time) error      { return nil }
func (pipeEnd) SetReadDeadline(time.Time) error  { return nil }
func (pipeEnd) SetWriteDeadline(time.Time) error { return nil }
