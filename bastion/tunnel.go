package bastion

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Target is the end of a tunnel: a VM, or an address in the Bastion's networks (IP-connect).
type Target struct {
	VM   string     // ARM id
	IP   netip.Addr // instead of VM; requires IP-connect
	Port int        // 0: 22. Developer and IP-connect allow only 22 and 3389
}

func (t Target) port() int { return cmp.Or(t.Port, 22) }

func (t Target) name() string {
	if t.IP.IsValid() {
		return t.IP.String()
	}
	if id, err := azure.ParseID(t.VM); err == nil {
		return id.Name()
	}
	return t.VM
}

// Dial opens one tunnel as a network connection. Closing it ends its session at the Bastion. The error is of kind Conflict
// when the Bastion cannot be used, Permission when the caller may not use it, and Unreachable when the Bastion does not
// answer. A VM that does not answer is noticed only at the first read, because Bastion reports it only then.
func (s *Service) Dial(ctx context.Context, b Bastion, t Target) (net.Conn, error) {
	x, err := s.Session(b, t)
	if err != nil {
		return nil, err
	}
	c, err := x.Dial(ctx)
	if err != nil {
		return nil, errors.Join(err, x.Close()) //nolint:contextcheck // closing has a deadline of its own
	}
	c.(*conn).session = x
	return c, nil
}

// Session opens connections to one target through one Bastion. It is safe for concurrent use.
type Session struct {
	service *Service
	bastion Bastion
	target  Target

	mu     sync.Mutex
	host   string // where tokens are requested
	last   tokens
	record *record
}

// Session prepares a session. No request is sent before its first Dial.
func (s *Service) Session(b Bastion, t Target) (*Session, error) {
	if err := b.Usable(); err != nil {
		return nil, err
	}
	fail := func(kind errkind.Kind, format string, args ...any) error {
		return &errkind.Error{Kind: kind, Op: "tunnel to", Resource: t.name(), Class: ErrTunnel, Err: fmt.Errorf(format, args...)}
	}
	port := t.port()
	fixed := strings.EqualFold(b.SKU, Developer) || t.IP.IsValid()
	switch {
	case t.IP.IsValid() && !b.IPConnect:
		return nil, fail(errkind.Conflict, "%w: IP-connect is off on bastion %s", ErrUnusable, b.Name)
	case !t.IP.IsValid() && t.VM == "":
		return nil, fail(errkind.Invalid, "no VM is named")
	case port < 1 || port > 65535:
		return nil, fail(errkind.Invalid, "%d is not a port", port)
	case fixed && port != 22 && port != 3389:
		return nil, fail(errkind.Invalid, "port %d: bastion %s leads to ports 22 and 3389 only here", port, b.Name)
	}
	host, err := parseHost(b.DNSName)
	if err != nil {
		return nil, fail(errkind.Invalid, "bastion %s: %w", b.Name, err)
	}
	x := &Session{service: s, bastion: b, target: t}
	if !strings.EqualFold(b.SKU, Developer) {
		x.host = host
	}
	return x, nil
}

// Dial opens a connection.
func (x *Session) Dial(ctx context.Context) (net.Conn, error) {
	c, err := x.dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		return nil, &errkind.Error{
			Kind: errkind.Of(err), Op: "tunnel to", Resource: x.target.name(), Class: ErrTunnel, Err: fmt.Errorf("bastion %s: %w", x.bastion.Name, err),
		}
	}
	return c, nil
}

func (x *Session) dial(ctx context.Context) (net.Conn, error) {
	t, host, err := x.tokens(ctx)
	if err != nil {
		return nil, err
	}
	address := "https://" + host + "/webtunnelv2/" + url.PathEscape(t.WebSocket) + "?X-Node-Id=" + url.QueryEscape(t.Node)
	if strings.EqualFold(x.bastion.SKU, Developer) {
		address = "https://" + host + "/omni/webtunnel/" + url.PathEscape(t.WebSocket)
	}
	ws, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{ //nolint:bodyclose // the library closes it, or the connection is it
		HTTPClient: x.service.client(), CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols && resp.Body != nil {
			data, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status is sufficient
			return nil, refusal(resp.StatusCode, data)
		}
		return nil, unanswered(err)
	}
	ws.SetReadLimit(maxAnswer)
	return &conn{
		Conn: websocket.NetConn(context.WithoutCancel(ctx), ws, websocket.MessageBinary),
		ws:   ws, name: x.target.name(), bastion: x.bastion.Name,
	}, nil
}

// tokens requests the tokens of one connection.
func (x *Session) tokens(ctx context.Context) (tokens, string, error) {
	access, err := x.service.azure.AccessToken(ctx)
	if err != nil {
		return tokens{}, "", err
	}
	host, err := x.pod(ctx, access)
	if err != nil {
		return tokens{}, "", err
	}
	x.mu.Lock()
	last := x.last
	x.mu.Unlock()
	form := url.Values{
		"resourceId": {x.resource()}, "protocol": {"tcptunnel"}, "workloadHostPort": {strconv.Itoa(x.target.port())}, "aztoken": {access},
	}
	if last.Auth != "" {
		form.Set("token", last.Auth)
	}
	if x.target.IP.IsValid() {
		form.Set("hostname", x.target.IP.String())
	}
	data, err := x.service.post(ctx, host, "/api/tokens", "application/x-www-form-urlencoded", []byte(form.Encode()), last.Node)
	if errkind.Of(err) == errkind.NotFound && last.Auth != "" {
		// The node of the last token is gone; a new session gets another node.
		form.Del("token")
		data, err = x.service.post(ctx, host, "/api/tokens", "application/x-www-form-urlencoded", []byte(form.Encode()), "")
	}
	if err != nil {
		return tokens{}, "", err
	}
	t, err := parseTokens(data)
	if err != nil {
		return tokens{}, "", err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.last.Auth != t.Auth {
		x.remember(host, t)
	}
	x.last = t
	return t, host, nil
}

// resource is the target's id. A target with an address gets the form that Bastion invented for that.
func (x *Session) resource() string {
	if !x.target.IP.IsValid() {
		return x.target.VM
	}
	id := azure.NewID(x.service.azure.SubscriptionID(), x.bastion.ResourceGroup, "Microsoft.Network", "bh-hostConnect", x.target.IP.String())
	return id.String()
}

// pod is the host of the data plane. For a Developer Bastion it is requested once.
func (x *Session) pod(ctx context.Context, access string) (string, error) {
	x.mu.Lock()
	host := x.host
	x.mu.Unlock()
	if host != "" {
		return host, nil
	}
	body, err := json.Marshal(map[string]any{
		"resourceId": x.target.VM, "bastionResourceId": x.bastion.ID, "vmPort": x.target.port(), "azToken": access, "connectionType": "nativeclient",
	})
	if err != nil {
		return "", err
	}
	data, err := x.service.post(ctx, x.bastion.DNSName, "/api/connection", "application/json", body, "")
	if err != nil {
		return "", err
	}
	if host, err = parseHost(strings.Trim(strings.TrimSpace(string(data)), `"`)); err != nil {
		return "", err
	}
	x.mu.Lock()
	x.host = host
	x.mu.Unlock()
	return host, nil
}

// goodbye limits the time to end a session.
const goodbye = 2 * time.Second

// Close ends the session at the Bastion, including open connections. It takes at most two seconds.
func (x *Session) Close() error {
	x.mu.Lock()
	last, host, rec := x.last, x.host, x.record
	x.last, x.record = tokens{}, nil
	x.mu.Unlock()
	if last.Auth == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	err := x.service.revoke(ctx, host, last.Auth, last.Node)
	if err == nil {
		rec.remove() // otherwise the next clean-up retries
	}
	return err
}

// revoke ends a session at the Bastion. One that has already ended is not an error.
func (s *Service) revoke(ctx context.Context, host, auth, node string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, "https://"+host+"/api/tokens/"+url.PathEscape(auth), nil)
	if err != nil {
		return fmt.Errorf("the Bastion's address %q is not valid", clip(host))
	}
	if node != "" {
		req.Header.Set("X-Node-Id", node)
	}
	resp, err := s.client().Do(req)
	if err != nil {
		return unanswered(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNoContent, http.StatusNotFound:
		return nil
	}
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status is sufficient
	return refusal(resp.StatusCode, data)
}

// conn is one tunnel.
type conn struct {
	net.Conn

	name, bastion string
	session       *Session // ends with this tunnel; nil when shared
	ws            *websocket.Conn
	once          sync.Once
	ended         atomic.Bool
	received      atomic.Bool
}

// frame is the maximum size of a message: Bastion accepts no fragmented messages, and its own client reads the same size.
const frame = 4096

func (c *conn) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		m, err := c.Conn.Write(p[:min(len(p), frame)])
		n += m
		if err != nil {
			return n, c.explain(err)
		}
		p = p[m:]
	}
	return n, nil
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.received.Store(true)
	}
	return n, c.explain(err)
}

// explain adds the meaning of a tunnel that ends before any data: the Bastion could not reach the target.
func (c *conn) explain(err error) error {
	if err != nil && c.ended.Load() {
		return net.ErrClosed
	}
	if err == nil || c.received.Load() || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &errkind.Error{
		Kind: errkind.Unreachable, Op: "tunnel to", Resource: c.name, Class: ErrTunnel,
		Err: fmt.Errorf("bastion %s did not get through: the VM is stopped, nothing listens there, or its security group does not admit the bastion's subnet", c.bastion),
	}
}

// waiting is how long to wait for the Bastion's closing message.
const waiting = 300 * time.Millisecond

// Close ends the tunnel. A session that could not be ended is left to the next clean-up and is not an error.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.ended.Store(true)
		abort := time.AfterFunc(waiting, func() { _ = c.ws.CloseNow() })
		_ = c.Conn.Close() // the other side may already be gone
		abort.Stop()
		if c.session != nil {
			_ = c.session.Close()
		}
	})
	return nil
}
