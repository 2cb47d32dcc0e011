//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/remote"
)

// far is a network with a round trip time, that can be cut.
type far struct {
	listener net.Listener
	target   string
	oneWay   time.Duration

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newFar(ctx context.Context, target string, roundTrip time.Duration) (*far, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &far{listener: l, target: target, oneWay: roundTrip / 2}
	go f.accept(ctx)
	return f, nil
}

func (f *far) accept(ctx context.Context) {
	for {
		c, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns = append(f.conns, c)
		down := f.down
		f.mu.Unlock()
		if !down {
			go f.carry(ctx, c)
		}
	}
}

func (f *far) carry(ctx context.Context, near net.Conn) {
	time.Sleep(2 * f.oneWay) // what opening it takes
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", f.target)
	if err != nil {
		_ = near.Close() // nobody is there
		return
	}
	go f.pump(c, near)
	f.pump(near, c)
}

// pump carries bytes one way, each packet later by half a round trip.
func (f *far) pump(to, from net.Conn) {
	type packet struct {
		data []byte
		due  time.Time
	}
	queue := make(chan packet, 1024)
	go func() {
		defer to.Close()
		for p := range queue {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				break
			}
		}
		for range queue { // until its end
		}
	}()
	defer close(queue)
	for {
		buf := make([]byte, 32<<10)
		n, err := from.Read(buf)
		queue <- packet{buf[:n], time.Now().Add(f.oneWay)}
		if err != nil {
			return
		}
	}
}

// cut ends what there is, and answers nobody until it is told to.
func (f *far) cut(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
	for _, c := range f.conns {
		_ = c.Close() // it may have ended
	}
	f.conns = nil
}

// reconnecting times how long after a network is back a session is. What the connection itself takes is measured over
// the same network.
func reconnecting(ctx context.Context, w *world) error {
	const roundTrip = 50 * time.Millisecond
	f, err := newFar(ctx, net.JoinHostPort(w.near.Address, strconv.Itoa(w.near.Port)), roundTrip)
	if err != nil {
		return err
	}
	defer func() { _ = f.listener.Close() }() // nobody comes any more
	h := w.near
	h.Address, h.Port = "127.0.0.1", f.listener.Addr().(*net.TCPAddr).Port
	handshake, err := median(5, func() error {
		_, err := remote.Connect(ctx, remote.Interactive{Host: h, KnownHosts: w.Hosts.KnownHosts, Command: []string{"true"}, Env: os.Environ()})
		return err
	})
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	in, say := io.Pipe()
	out := &answers{}
	done := make(chan struct{})
	lost := make(chan struct{}, 100)
	go func() {
		c := remote.Connector{ReconnectHandler: remote.ReconnectHandler{MaxAttempts: remote.UntilStopped, Report: func(e remote.ReconnectEvent) {
			if e.Phase == remote.Lost {
				lost <- struct{}{}
			}
		}}}
		defer close(done)
		if file, err := pipeFile(in); err == nil {
			_, _ = c.Connect(ctx, remote.Interactive{Host: h, KnownHosts: w.Hosts.KnownHosts, NoTmux: true, Stdin: file, Stdout: out, Env: os.Environ()}) // it is ended below
		}
	}()
	var times []time.Duration
	for n := range 8 {
		back := time.Now()
		f.cut(false)
		if err := out.wait(ctx, say, fmt.Sprintf("here-%d", n)); err != nil {
			return errors.Join(err, errors.New("the session did not come back"))
		}
		if n > 0 { // the first is how it began
			times = append(times, time.Since(back))
		}
		f.cut(true)
		<-lost
		time.Sleep(time.Duration(300+n*170) * time.Millisecond)
	}
	end()
	<-done
	slices.Sort(times)
	goal := handshake + 2*roundTrip
	line("reconnected after the network is back", times[len(times)/2], goal, "two round trips of 50 ms and plain ssh")
	return nil
}

// pipeFile is a pipe of the system that is fed from another one, so that each ssh reads it anew.
func pipeFile(from io.Reader) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() {
		_, _ = io.Copy(w, from) // until its end
		_ = w.Close()
	}()
	return r, nil
}

// answers is what comes back from a shell.
type answers struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (a *answers) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.data.Write(b)
}

// wait says something to the shell until it comes back.
func (a *answers) wait(ctx context.Context, say io.Writer, mark string) error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := fmt.Fprintf(say, "echo %s\n", mark); err != nil {
			return err
		}
		a.mu.Lock()
		found := strings.Contains(a.data.String(), mark)
		a.mu.Unlock()
		if found || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("%s was not heard", mark)
}
