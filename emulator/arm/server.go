package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/ratelimit"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// Options set up a Server.
type Options struct {
	TenantID       string
	SubscriptionID string
	PageSize       int // resources per page of a list; 0: 200
	// Unregistered are the namespaces that the subscription has not registered yet.
	Unregistered []string
	// Duration is how long an operation of a kind takes. Nil: no time.
	Duration func(kind string) time.Duration
	// Crowded lengthens the time of an operation that begins while so many others are under way. Nil: it stays.
	Crowded func(d time.Duration, underWay int) time.Duration
	// Pace divides the windows of the rate limits: 100 lets 140 lists per 3 minutes be 140 per 1.8 s. 0: 1.
	Pace int
	// Unlimited switches the rate limits off.
	Unlimited bool
	// PerResource counts the calls about each VM, too, as Compute does.
	PerResource bool
	// Actor tells whose rate limits a request counts against, from its Authorization header. Nil: everybody's.
	Actor func(authorization string) string
	// Hasty adds Retry-After-Ms to replies of asynchronous operations, and makes Retry-After 1.
	Hasty bool
	// Fault says what goes wrong with an operation of a kind that begins on a resource; nil: nothing does.
	Fault func(kind, target string) *Fault
	// Stuck reports whether the rule that an operation is stuck by is still there.
	Stuck func(rule string) bool
	// Authorize judges a request's Authorization header. Nil lets everyone in.
	Authorize func(r *http.Request) *Error
	Log       *slog.Logger // nil: nothing is logged
}

// Server answers as Azure Resource Manager does. All of its state is behind one lock: handlers,
// operation kinds and type hooks run while it is held.
type Server struct {
	opt      Options
	mu       sync.Mutex
	now      time.Time // the time of what is being handled
	offset   time.Duration
	store    store
	types    map[string]*Type
	since    map[string][]member
	kinds    map[string]Kind
	routes   []*Route
	ops      map[string]*Operation
	open     map[string]*Operation // those under way, and perhaps some that have just ended
	track    track
	ready    []*Operation // operations whose Run is due
	wake     chan struct{}
	limits   *ratelimit.Limits
	counts   map[string]int
	hidden   map[string]time.Time     // resources that a fault hides until then, by key
	notes    map[string]azjson.Object // see Note
	reg      map[string]bool          // namespaces without a registration, lower-cased; true: there never was one
	changing map[string]time.Time     // until when a registration is on its way, in the same names
	guards   []func(c *Call) error
	permit   func(c *Call) error
	keep     func(c *Call, action string, items []any) []any
	// observers are told of each request that was routed, and of each operation that has ended, while the server is locked.
	observe func(c *Call, rep *Reply)
	ended   func(op *Operation)
	dirty   bool // changed since the last Changed
	// changed is told after each request or settlement that changed anything, without the lock.
	changed func()
}

// New makes an empty server.
func New(opt Options) *Server {
	if opt.PageSize == 0 {
		opt.PageSize = 200
	}
	if opt.Pace == 0 {
		opt.Pace = 1
	}
	if opt.Duration == nil {
		opt.Duration = func(string) time.Duration { return 0 }
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		opt: opt, store: newStore(), types: map[string]*Type{}, since: map[string][]member{}, kinds: map[string]Kind{},
		ops: map[string]*Operation{}, open: map[string]*Operation{}, hidden: map[string]time.Time{}, notes: map[string]azjson.Object{}, wake: make(chan struct{}, 1), counts: map[string]int{}, reg: map[string]bool{}, changing: map[string]time.Time{},
	}
	s.limits = newLimits(opt)
	for _, n := range opt.Unregistered {
		s.reg[strings.ToLower(n)] = true
	}
	s.operationRoutes()
	return s
}

// Options returns what the server was made with.
func (s *Server) Options() Options { return s.opt }

// Guard adds a check that each call passes before its handler.
func (s *Server) Guard(f func(c *Call) error) { s.guards = append(s.guards, f) }

// Permit sets the judge of who may do what. It is asked before anything that would tell the caller what
// there is. keep leaves out of a list what the caller may not do action to.
func (s *Server) Permit(judge func(c *Call) error, keep func(c *Call, action string, items []any) []any) {
	s.permit, s.keep = judge, keep
}

// Observe has calls told of each request that was routed, and ends of each operation that has ended. Both run while the
// server is locked.
func (s *Server) Observe(calls func(c *Call, rep *Reply), ends func(op *Operation)) {
	s.observe, s.ended = calls, ends
}

// Now is the server's time at what is being handled.
func (s *Server) Now() time.Time { return s.now }

// OnChange sets the function that hears of changes. It runs without the lock, before the reply to
// the request that made the change is sent.
func (s *Server) OnChange(f func()) { s.changed = f }

func (s *Server) touched() { s.dirty = true }

// Do runs f while the server is locked and settled.
func (s *Server) Do(f func()) {
	s.mu.Lock()
	s.settle()
	f()
	s.mu.Unlock()
	s.announce()
}

// Peek runs f while the server is locked, as things stand: nothing is settled and nobody is told.
func (s *Server) Peek(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.track.reading = true
	f()
	s.track.reading = false
}

func (s *Server) announce() {
	s.mu.Lock()
	dirty := s.dirty
	s.dirty = false
	s.mu.Unlock()
	if dirty && s.changed != nil {
		s.changed()
	}
}

// Advance moves the server's time forward. Token validity is not its business and does not move.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	s.offset += d
	s.touched()
	s.nudge() // what Drive waits for comes sooner
	s.mu.Unlock()
	s.Do(func() {})
}

// Clock is the server's time, and how far it is ahead of wall time.
func (s *Server) Clock() (now time.Time, ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.offset), s.offset
}

// Requests counts the requests that were answered, by method.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := make(map[string]int, len(s.counts))
	maps.Copy(m, s.counts)
	return m
}

// maxBody is the size of the largest request that Azure Resource Manager takes.
const maxBody = 4 << 20

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	c := &Call{Server: s, Method: r.Method, Path: slashes(r.URL.Path), Query: lowerKeys(r.URL.Query()), Header: r.Header, Raw: raw, Base: base(r)}
	s.mu.Lock()
	s.settle()
	c.Now = s.now
	s.counts[r.Method]++
	var rep *Reply
	failure := s.admit(c, r, err)
	if failure == nil {
		s.track.reading = r.Method == http.MethodGet || r.Method == http.MethodHead
		rep, failure = s.guarded(c)
		s.track.reading = false
	}
	if failure != nil {
		rep = refusal(failure)
	}
	if s.observe != nil && c.Route != nil {
		s.observe(c, rep)
	}
	var body []byte
	if rep.Body != nil {
		if body, err = json.Marshal(rep.Body); err != nil {
			rep, body = &Reply{Status: http.StatusInternalServerError}, nil
		}
	}
	h := w.Header()
	s.headers(h, c)
	s.mu.Unlock()
	s.announce()
	maps.Copy(h, rep.Header)
	if h.Get("X-Ms-Failure-Cause") == "gateway" { // the provider did not see it, and says nothing
		h.Del("X-Ms-Ratelimit-Remaining-Resource")
		h.Del("X-Ms-Arm-Service-Request-Id")
	}
	s.opt.Log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", rep.Status)
	if body != nil && rep.Header.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(rep.Status)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, bytes.NewReader(body)) // the client has gone: nothing to be done
	}
}

func refusal(err error) *Reply {
	var e *Error
	if !errors.As(err, &e) {
		e = Refuse(http.StatusInternalServerError, "InternalServerError", "%v", err)
	}
	return &Reply{Status: e.Status, Header: e.Header, Body: azjson.Object{"error": e.Object()}}
}

// admit does what comes before routing: identity, size, rate limits.
func (s *Server) admit(c *Call, r *http.Request, readErr error) error {
	if s.opt.Authorize != nil {
		if e := s.opt.Authorize(r); e != nil {
			return e
		}
	}
	if readErr != nil {
		return BadRequest("InvalidRequestContent", "The request content could not be read: %v", readErr)
	}
	if len(c.Raw) > maxBody {
		return Refuse(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content size exceeds the maximum size of 4 MB.")
	}
	if s.opt.Actor != nil {
		c.actor = s.opt.Actor(r.Header.Get("Authorization"))
	}
	if e := throttled(s.limits.Manager(s.limited(c))); e != nil {
		return e
	}
	return nil
}

// dispatch routes a call and runs its handler.
func (s *Server) dispatch(c *Call) (*Reply, error) {
	route, params, known := s.match(c.Method, c.Path)
	if known != nil && route == nil && c.Method == http.MethodHead {
		return s.exists(c)
	}
	c.Route, c.params = route, params
	c.Version = c.Arg("api-version")
	if sub := subscriptionOf(c.Path); sub != "" && !azjson.Fold(sub, s.opt.SubscriptionID) {
		return nil, Refuse(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", sub)
	}
	if (route == nil || route.Versions != nil) && c.Version == "" {
		return nil, BadRequest("MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	}
	if route == nil {
		return nil, s.unknown(c, known)
	}
	if err := s.parse(c); err != nil {
		return nil, err
	}
	if s.permit != nil && !c.inner {
		if err := s.permit(c); err != nil {
			return nil, err
		}
	}
	if err := s.checkProvider(c); err != nil {
		return nil, err
	}
	if err := s.checkGroup(c); err != nil {
		return nil, err
	}
	if err := s.checkVersion(c); err != nil {
		return nil, err
	}
	if !c.inner {
		if e := throttled(s.limits.Compute(s.limited(c))); e != nil {
			return nil, e
		}
	}
	if err := s.found(c); err != nil {
		return nil, err
	}
	for _, g := range append([]func(*Call) error{s.describedAs}, s.guards...) {
		if err := g(c); err != nil {
			return nil, err
		}
	}
	rep, err := route.handler(c)
	if err == nil && route.Versions != nil && !c.inner {
		s.aged(strings.ToLower(c.Version), rep.Body)
	}
	return rep, err
}

// found is the error for reading a resource that a fault hides.
func (s *Server) found(c *Call) error {
	until, ok := s.hidden[resourceid.Key(c.Path)]
	if !ok || c.Method != http.MethodGet {
		return nil
	}
	if !c.Now.Before(until) {
		delete(s.hidden, resourceid.Key(c.Path))
		return nil
	}
	return c.NotFound()
}

// exists answers HEAD where Azure has GET.
func (s *Server) exists(c *Call) (*Reply, error) {
	get := *c
	get.Method = http.MethodGet
	if _, err := s.dispatch(&get); err != nil {
		return nil, err
	}
	return Status(http.StatusNoContent), nil
}
