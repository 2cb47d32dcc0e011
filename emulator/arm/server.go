package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
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
	// Pace divides the windows of the rate limits: 100 lets 140 lists per 3 minutes be 140 per 1.8 s. 0: 1.
	Pace int
	// Hasty adds Retry-After-Ms to replies of asynchronous operations, and makes Retry-After 1.
	Hasty bool
	// Authorize judges a request's Authorization header. Nil lets everyone in.
	Authorize func(r *http.Request) *Error
	Log       *slog.Logger // nil: nothing is logged
}

// Server answers as Azure Resource Manager does. All of its state is behind one lock: handlers,
// operation kinds and type hooks run while it is held.
type Server struct {
	opt    Options
	mu     sync.Mutex
	now    time.Time // the time of what is being handled
	offset time.Duration
	store  store
	types  map[string]*Type
	kinds  map[string]Kind
	routes []*Route
	ops    map[string]*Operation
	ready  []*Operation // operations whose Run is due
	wake   chan struct{}
	limits limits
	counts map[string]int
	reg    map[string]bool // unregistered namespaces, lower-cased
	guards []func(c *Call) error
	permit func(c *Call) error
	keep   func(c *Call, action string, items []any) []any
	dirty  bool // changed since the last Changed
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
		opt: opt, store: newStore(), types: map[string]*Type{}, kinds: map[string]Kind{},
		ops: map[string]*Operation{}, wake: make(chan struct{}, 1), counts: map[string]int{}, reg: map[string]bool{},
	}
	s.limits = newLimits(opt.Pace)
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
	f()
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
	s.mu.Unlock()
	s.Do(func() {})
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
	c := &Call{Server: s, Method: r.Method, Path: r.URL.Path, Query: lowerKeys(r.URL.Query()), Header: r.Header, Raw: raw, Base: base(r)}
	s.mu.Lock()
	s.settle()
	c.Now = s.now
	s.counts[r.Method]++
	var rep *Reply
	failure := s.admit(c, r, err)
	if failure == nil {
		rep, failure = s.dispatch(c)
	}
	if failure != nil {
		rep = refusal(failure)
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
	s.opt.Log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", rep.Status)
	if body != nil {
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
	return &Reply{Status: e.Status, Header: e.Header, Body: Object{"error": e.Object()}}
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
	if e := s.limits.subscription(c); e != nil {
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
	if sub := subscriptionOf(c.Path); sub != "" && !Fold(sub, s.opt.SubscriptionID) {
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
		if e := s.limits.resource(c); e != nil {
			return nil, e
		}
	}
	for _, g := range s.guards {
		if err := g(c); err != nil {
			return nil, err
		}
	}
	return route.handler(c)
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

func (s *Server) parse(c *Call) error {
	if len(bytes.TrimSpace(c.Raw)) == 0 || c.Body != nil {
		return nil
	}
	var err error
	if c.Body, err = Parse(c.Raw); err != nil {
		return BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	return nil
}

func (s *Server) checkProvider(c *Call) error {
	ns, _ := c.Route.Kind()
	if ns == "" || c.Method == http.MethodGet || !s.reg[strings.ToLower(ns)] {
		return nil
	}
	return Conflict("MissingSubscriptionRegistration",
		"The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for how to register subscriptions.", ns).
		withDetail(Conflict("MissingSubscriptionRegistration",
			"The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for how to register subscriptions.", ns).At(ns))
}

func (e *Error) withDetail(d *Error) *Error {
	e.Details = append(e.Details, d)
	return e
}

func (s *Server) checkGroup(c *Call) error {
	g := c.Group()
	if g == "" {
		return nil
	}
	if r := s.Find("/subscriptions/" + c.Sub() + "/resourceGroups/" + g); r != nil {
		if c.Method == http.MethodPut && Str(r.Body, "properties", "provisioningState") == "Deleting" {
			return Conflict("ResourceGroupBeingDeleted", "The resource group '%s' is in deprovisioning state and cannot perform this operation.", g)
		}
		return nil
	}
	if ns, _ := c.Route.Kind(); ns == "" && c.Route.Method == http.MethodPut {
		return nil // it is the group that is being made
	}
	return GroupNotFound(g)
}

var versionForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-preview|-alpha|-beta)?$`)

func (s *Server) checkVersion(c *Call) error {
	v := c.Route.Versions
	if len(v) == 0 || slices.Contains(v, strings.ToLower(c.Version)) {
		return nil
	}
	ns, typ := c.Route.Kind()
	if !versionForm.MatchString(c.Version) || ns == "" || Fold(ns, "Microsoft.Resources") {
		return BadRequest("InvalidApiVersionParameter",
			"The api-version '%s' is invalid. The supported versions are '%s'.", c.Version, strings.Join(reversed(v), ","))
	}
	location := Str(c.Body, "location")
	if r := s.Find(c.Path); location == "" && r != nil {
		location = r.Location()
	}
	if location == "" {
		location = c.Param("location")
	}
	return BadRequest("NoRegisteredProviderFound",
		"No registered resource provider found for location '%s' and API version '%s' for type '%s'. The supported api-versions are '%s'. The supported locations are '%s'.",
		location, c.Version, typ, strings.Join(v, ", "), strings.Join(regionNames(), ", "))
}

func reversed(l []string) []string {
	l = slices.Clone(l)
	slices.Reverse(l)
	return l
}

func subscriptionOf(path string) string {
	seg := strings.SplitN(strings.Trim(path, "/"), "/", 3)
	if len(seg) < 2 || !Fold(seg[0], "subscriptions") {
		return ""
	}
	return seg[1]
}

func lowerKeys(q url.Values) url.Values {
	l := make(url.Values, len(q))
	for k, v := range q {
		l[strings.ToLower(k)] = v
	}
	return l
}

func base(r *http.Request) string {
	scheme := "https"
	if r.TLS == nil && r.URL.Scheme != "" {
		scheme = r.URL.Scheme
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return scheme + "://" + host
}
