package remote

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

// Limits are the timeouts for a silent host. A zero field uses its default.
type Limits struct {
	Connect    time.Duration // until connected; 0: 15 seconds
	Handshake  time.Duration // from there until the login; 0: 15 seconds
	KeepAlive  time.Duration // between two keepalive probes; 0: 15 seconds
	Unanswered int           // how many unanswered probes in a row end the connection; 0: 3
}

func (l Limits) connect() time.Duration   { return cmp.Or(l.Connect, 15*time.Second) }
func (l Limits) handshake() time.Duration { return cmp.Or(l.Handshake, 15*time.Second) }
func (l Limits) keepAlive() time.Duration { return cmp.Or(l.KeepAlive, 15*time.Second) }
func (l Limits) unanswered() int          { return cmp.Or(l.Unanswered, 3) }

// silence is how long a host may be silent before the connection is given up.
func (l Limits) silence() time.Duration { return l.keepAlive() * time.Duration(l.unanswered()) }

// The defaults of OpenSSH's server, with a margin: MaxStartups 10:30:100 drops connections at random once ten have not
// signed in, MaxSessions 10 refuses the eleventh session of a connection.
const (
	maxDials    = 8
	maxSessions = 10
)

// Dials limits the connections to each host that have not signed in yet to what its sshd accepts; others wait. Share one
// among all who connect to the same hosts. The zero value is ready for use.
type Dials struct {
	mu    sync.Mutex
	hosts map[string]chan struct{}
}

// enter waits for a free slot. A nil Dials does not limit.
func (d *Dials) enter(ctx context.Context, host string) (leave func(), err error) {
	if d == nil {
		return func() {}, nil
	}
	d.mu.Lock()
	turns := d.hosts[host]
	if turns == nil {
		if d.hosts == nil {
			d.hosts = map[string]chan struct{}{}
		}
		turns = make(chan struct{}, maxDials)
		d.hosts[host] = turns
	}
	d.mu.Unlock()
	select {
	case turns <- struct{}{}:
		return sync.OnceFunc(func() { <-turns }), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// dialAttempts is how often a connection is tried that ends before the login. Nothing has happened by then, and a busy sshd
// may accept the next one.
const dialAttempts = 5

// tunnelAttempts is the same for a Via route: each attempt is authorised again, and the route may lead nowhere.
const tunnelAttempts = 3

// errNoBanner is the error when a route opened but no SSH greeting arrived.
var errNoBanner = errors.New("nobody answered")

// backOff is the delay before the attempt after this one: about 100, 200, 400 and 800 milliseconds, randomised so that many
// clients do not retry at the same moment.
func backOff(attempt int) time.Duration {
	wait := 100 * time.Millisecond << (attempt - 1)
	return wait/2 + rand.N(wait)
}

// broken reports whether an established connection has ended.
func broken(err error) bool {
	for _, end := range []error{
		io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE,
		syscall.Errno(10053), syscall.Errno(10054), // aborted and reset: the numbers on Windows
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
