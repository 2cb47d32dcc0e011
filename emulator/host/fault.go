package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/emulator/host/sshd"
)

// errRefused is what a connection from inside the network gets where nobody listens.
var errRefused = errors.New("connection refused")

// What the effects on SSH come with when a rule does not say.
const (
	defaultDropBytes = 4096
	defaultSSHDelay  = 100 * time.Millisecond
)

// OpenSSH's MaxStartups 10:30:100: of those who come while ten have not signed in, 30 % are dropped, and of those who
// come while a hundred have not, all; in between it is in proportion.
const (
	startupsBegin = 10
	startupsRate  = 30
	startupsFull  = 100
)

// SetFaults makes the runtime ask, once for each connection to a VM's SSH server, directly or through Dial, which rule
// strikes it: that of the fault.Set's OnSSH, say. It is asked with the VM's name, the last part of its id in lower
// case, before a lazy VM boots. nil: none does.
func (r *Runtime) SetFaults(rule func(vm string) *fault.Rule) { r.faults.Store(&rule) }

// struck is the rule that strikes a connection to the machine that begins now, or nil.
func (m *machine) struck() *fault.Rule {
	f := m.runtime.faults.Load()
	if f == nil || *f == nil {
		return nil
	}
	rule := (*f)(path.Base(m.id))
	if rule != nil {
		m.runtime.log.Debug("ssh fault", "host", m.id, "rule", rule.ID, "effect", rule.Effect)
	}
	return rule
}

// startups counts the connections to a machine that have not signed in.
type startups struct {
	mu      sync.Mutex
	waiting int
	chances map[string]*rand.Rand // by the rule's id and seed
}

// begin counts a connection in, unless the rule limits them and its chance is that it is dropped. done counts it out.
func (s *startups) begin(rule *fault.Rule) (done func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rule != nil && rule.Effect == fault.SSHLimit && s.drops(rule) {
		return nil, false
	}
	s.waiting++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waiting--
	}), true
}

func (s *startups) drops(rule *fault.Rule) bool {
	if s.waiting < startupsBegin {
		return false
	}
	key := fmt.Sprint(rule.ID, " ", rule.Seed)
	if s.chances == nil {
		s.chances = map[string]*rand.Rand{}
	}
	if s.chances[key] == nil {
		s.chances[key] = rand.New(rand.NewPCG(rule.Seed, 1))
	}
	percent := startupsRate + (100-startupsRate)*(s.waiting-startupsBegin)/(startupsFull-startupsBegin)
	return s.chances[key].IntN(100) < percent
}

// reset ends a connection as a host does where nobody listens.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it is closed all the same
	}
	_ = conn.Close() // as above
}

// hang sends the server's name, and then nothing, until the client goes or life ends.
func hang(life context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(life, func() { conn.Close() })
	defer stop()
	go func() { _, _ = io.WriteString(conn, sshd.Version+"\r\n") }() // a pipe may have nobody who reads
	_, _ = io.Copy(io.Discard, conn)                                 // until its end
}

// faulty makes a connection behave as the rule has it. wait returns when the client has gone, too.
func faulty(life context.Context, conn net.Conn, rule *fault.Rule) (faulted net.Conn, wait func()) {
	nothing := func() {}
	if rule == nil {
		return conn, nothing
	}
	switch rule.Effect {
	case fault.SSHDrop:
		return &dropping{Conn: conn, left: cmp.Or(rule.Bytes, defaultDropBytes)}, nothing
	case fault.SSHFreeze:
		f := &freezing{Conn: conn, left: rule.Bytes}
		stop := context.AfterFunc(life, func() { conn.Close() })
		return f, func() {
			f.drain(life)
			stop()
		}
	case fault.SSHDelay:
		d := newDelaying(conn, cmp.Or(rule.Delay, defaultSSHDelay))
		return d, func() { <-d.flushed }
	}
	return conn, nothing
}

// dropping is a connection that ends after some bytes from the server.
type dropping struct {
	net.Conn

	mu   sync.Mutex
	left int
}

func (d *dropping) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.Conn.Write(b[:min(len(b), d.left)])
	if d.left -= n; d.left <= 0 {
		_ = d.Close() // that is what is wanted
		if err == nil && n < len(b) {
			err = io.ErrClosedPipe
		}
	}
	return n, err
}

// freezing is a connection through which, after some bytes from the server, nothing goes any more either way. It stays
// open until the client closes it.
type freezing struct {
	net.Conn

	mu   sync.Mutex
	left int
}

func (f *freezing) frozen() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left <= 0
}

func (f *freezing) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left <= 0 {
		return len(b), nil // it is on its way, for all that the server knows
	}
	n, err := f.Conn.Write(b[:min(len(b), f.left)])
	if f.left -= n; f.left <= 0 && err == nil {
		n, err = len(b), f.Conn.SetDeadline(time.Time{}) // nobody's patience ends it
	}
	return n, err
}

func (f *freezing) Read(b []byte) (int, error) {
	for {
		if f.frozen() {
			_, _ = io.Copy(io.Discard, f.Conn) // until the client goes
			return 0, io.EOF
		}
		n, err := f.Conn.Read(b)
		if err != nil || !f.frozen() {
			return n, err
		}
	}
}

func (f *freezing) SetDeadline(t time.Time) error {
	if f.frozen() {
		return nil
	}
	return f.Conn.SetDeadline(t)
}

func (f *freezing) Close() error {
	if f.frozen() {
		return nil
	}
	return f.Conn.Close()
}

// thaw is how long a frozen connection stays after the client has closed its end, which on a network that is frozen, too,
// nobody would get to know.
const thaw = 10 * time.Second

// drain waits for the client to go, after the server has let go of the connection.
func (f *freezing) drain(life context.Context) {
	_, _ = io.Copy(io.Discard, f.Conn) // until then
	if f.frozen() {
		select {
		case <-life.Done():
		case <-time.After(thaw):
		}
	}
	_ = f.Conn.Close() // nobody is there any more
}

// maxInFlight is how many packets each way a slow connection holds before it holds up who sends.
const maxInFlight = 1024

// delaying is a connection on which each packet comes later. Its throughput stays what it is.
type delaying struct {
	net.Conn

	delay    time.Duration
	in, out  chan packet
	rest     packet        // of in, what was not read yet
	closing  chan struct{} // by the server
	once     sync.Once
	flushed  chan struct{} // all that was sent is through
	writing  sync.Mutex
	finished bool // guarded by writing: nothing more is sent
}

type packet struct {
	data []byte
	err  error
	due  time.Time
}

func newDelaying(conn net.Conn, delay time.Duration) *delaying {
	d := &delaying{
		Conn: conn, delay: delay, in: make(chan packet, maxInFlight), out: make(chan packet, maxInFlight),
		closing: make(chan struct{}), flushed: make(chan struct{}),
	}
	go d.receive()
	go d.send()
	return d
}

func (d *delaying) receive() {
	for {
		buf := make([]byte, 32<<10)
		n, err := d.Conn.Read(buf)
		select {
		case d.in <- packet{buf[:n], err, time.Now().Add(d.delay)}:
		case <-d.closing:
			return
		}
		if err != nil {
			return
		}
	}
}

func (d *delaying) send() {
	defer close(d.flushed)
	defer d.Conn.Close()
	for p := range d.out {
		time.Sleep(time.Until(p.due))
		if _, err := d.Conn.Write(p.data); err != nil {
			break
		}
	}
	for range d.out { // until the server notices, too
	}
}

func (d *delaying) Read(b []byte) (int, error) {
	for len(d.rest.data) == 0 {
		if d.rest.err != nil {
			return 0, d.rest.err
		}
		select {
		case d.rest = <-d.in:
			time.Sleep(time.Until(d.rest.due))
		case <-d.closing:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, d.rest.data)
	d.rest.data = d.rest.data[n:]
	return n, nil
}

func (d *delaying) Write(b []byte) (int, error) {
	d.writing.Lock()
	defer d.writing.Unlock()
	if d.finished {
		return 0, net.ErrClosed
	}
	d.out <- packet{data: append([]byte(nil), b...), due: time.Now().Add(d.delay)}
	return len(b), nil
}

// Close lets what was sent arrive first.
func (d *delaying) Close() error {
	d.once.Do(func() {
		close(d.closing)
		d.writing.Lock()
		defer d.writing.Unlock()
		d.finished = true
		close(d.out)
	})
	return nil
}
