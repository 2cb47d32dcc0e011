// Package bastion emulates what native clients see of Azure Bastion: tokens for connections, and tunnels over
// websockets. Which Bastions there are is Azure Resource Manager's business (package network).
//
// The browser's sessions, files, recordings and shareable links are not here.
package bastion

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/network"
)

// Target is where a tunnel leads.
type Target struct {
	Resource string // id of the VM; of the form .../bh-hostConnect/{ip} when it is named by its address
	Address  string // "" unless it is named by its address
	Port     int
}

// Cloud is what a data plane stands in. It is declared here, by its consumer.
type Cloud interface {
	// At finds the Bastion that answers at a host of a URL. entry says that the host is where clients of the
	// Developer SKU ask first.
	At(host string) (b network.Bastion, entry, ok bool)
	// Entry is the host that carries the connections of a Developer Bastion.
	Pod(b network.Bastion) string
	// Refused says why a caller gets no tunnel to a target, with the status of the answer; nil if he does.
	Refused(aztoken string, b network.Bastion, t Target) *Refusal
	// Dial connects to a target from the Bastion's place in the network.
	Dial(ctx context.Context, b network.Bastion, t Target) (net.Conn, error)
}

// Refusal is an answer that says no.
type Refusal struct {
	Status  int
	Message string
}

// Server is the data plane of all Bastions.
type Server struct {
	cloud Cloud
	log   *slog.Logger
	ctx   context.Context //nolint:containedctx // the server's own life, which tunnels end with
	stop  context.CancelFunc

	mu       sync.Mutex
	sessions map[string]*session // by authToken
	tickets  map[string]ticket   // by websocketToken
}

// session is what one authToken stands for.
type session struct {
	auth, node string
	bastion    string // id
	target     Target
	ctx        context.Context //nolint:containedctx // ends its tunnels
	end        context.CancelFunc
}

// ticket lets one websocket in, once.
type ticket struct {
	session *session
	until   time.Time
}

// ticketLife is how long a client may take from the token to the websocket.
const ticketLife = time.Minute

// New makes a server. Close it.
func New(c Cloud, log *slog.Logger) *Server {
	s := &Server{cloud: c, log: log, sessions: map[string]*session{}, tickets: map[string]ticket{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends all tunnels.
func (s *Server) Close() { s.stop() }

// Keep ends the sessions of Bastions that are not among these ids.
func (s *Server) Keep(ids map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for auth, x := range s.sessions {
		if !ids[x.bastion] {
			x.end()
			delete(s.sessions, auth)
		}
	}
}

// Sessions is how many sessions are open.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// ServeHTTP answers at the host that the request names.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.Serve(w, r, r.Host) }
