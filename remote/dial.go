package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// DefaultUser is the login user of VMs that azlin creates.
const DefaultUser = "azureuser"

// DefaultPort is the SSH port of a Host without one.
const DefaultPort = 22

// Host is everything needed to reach one VM and to verify its identity.
type Host struct {
	Name        string        // for messages; empty: Address
	VMID        string        // id under which its host key is recorded
	Address     string        // IP address or host name
	Port        int           // 0: 22
	User        string        // empty: azureuser
	KeyPath     string        // private key; empty: only the agent's keys
	EarlierKeys []string      // private keys that KeyPath replaced, offered after it, a few at a time; absent files are skipped
	AgentSocket string        // SSH_AUTH_SOCK; empty: no agent
	HostKey     ssh.PublicKey // the expected host key; required
	Only        ssh.PublicKey // sign in with only this key, wherever it is; nil: with any

	Via          Dialer   // route to a VM that cannot be dialled directly; nil: TCP to Address and Port
	ProxyCommand []string // the same route for the system's ssh: a command whose standard input and output are connected to the VM

	Limits Limits // how long it may be silent; the zero value: the defaults
	Dials  *Dials // limits simultaneous connection attempts; nil: no limit
}

// Dialer opens a connection to the SSH server of one VM. Its errors carry an errkind.Kind.
type Dialer interface {
	Dial(ctx context.Context) (net.Conn, error)
}

// open connects to the host's SSH server, and returns the address used.
func (h Host) open(ctx context.Context) (conn net.Conn, addr string, err error) {
	if h.Via != nil {
		conn, err = h.Via.Dial(ctx)
		return conn, h.name(), err
	}
	addr = net.JoinHostPort(h.Address, strconv.Itoa(h.port()))
	conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	return conn, addr, err
}

// Open connects to the host's SSH server without SSH handshake: the bytes are for another client, which verifies the host
// key itself. The error is of kind Unreachable when nothing answers.
func Open(ctx context.Context, h Host) (net.Conn, error) {
	conn, _, err := h.connect(ctx)
	return conn, err
}

// wayFailed is the error of open. A Dialer's error keeps its kind.
func (h Host) wayFailed(err error) error {
	if kind := errkind.Of(err); h.Via != nil && kind != errkind.Unknown {
		return h.failure(kind, err)
	}
	return h.failure(errkind.Unreachable, err)
}

func (h Host) name() string { return cmp.Or(h.Name, h.Address) }
func (h Host) user() string { return cmp.Or(h.User, DefaultUser) }
func (h Host) port() int    { return cmp.Or(h.Port, DefaultPort) }

// key is the cache key for the host.
func (h Host) key() string {
	return cmp.Or(strings.ToLower(h.VMID), h.Address+" "+strconv.Itoa(h.port()))
}

func (h Host) failure(kind errkind.Kind, err error) error {
	class := ErrConnection
	if kind == errkind.HostKey {
		class = ErrHostKey
	}
	return &errkind.Error{Kind: kind, Op: "connect to", Resource: h.name(), Class: class, Err: err}
}

// ErrKeyRefused is the cause when the VM answered but accepted none of the offered keys.
var ErrKeyRefused = errors.New("the VM accepts none of the offered keys")

// Client is an SSH connection to a VM. It is safe for concurrent use; Close it when done.
type Client struct {
	ssh      *ssh.Client
	host     Host
	closers  []io.Closer
	sessions chan struct{} // one for each open session
	gone     chan struct{} // closed when the connection has ended

	agentOnce sync.Once
}

// Dial connects to h and verifies its host key. The error is of kind Unreachable when nothing answers in time (Host.Limits),
// HostKey when another machine does, Permission when the key is refused, and Cancelled when ctx is cancelled. A connection
// that ends before the login, as with a busy sshd, is retried up to four times.
func Dial(ctx context.Context, h Host) (*Client, error) {
	if h.HostKey == nil {
		return nil, h.failure(errkind.HostKey, errors.New("its host key is not known"))
	}
	first, rest := h.firstKeys()
	client, closers, err := first.signIn(ctx)
	for ; errors.Is(err, ErrKeyRefused) && len(rest) > 0; rest = rest[min(len(rest), offered):] {
		other := h.withKeys(rest[:min(len(rest), offered)])
		c, more, failed := other.signIn(ctx)
		if failed == nil {
			h, client, closers, err = other, c, more, nil
		}
	}
	if err != nil {
		return nil, err
	}
	c := &Client{ssh: client, host: h, closers: closers, sessions: make(chan struct{}, maxSessions), gone: make(chan struct{})}
	go func() {
		_ = client.Wait() // users of the connection get the error
		close(c.gone)
	}()
	return c, nil
}

// signIn connects, offering all of h's keys at once.
func (h Host) signIn(ctx context.Context) (*ssh.Client, []io.Closer, error) {
	auth, closers, err := h.authMethods(ctx)
	if err != nil {
		return nil, nil, err
	}
	config := &ssh.ClientConfig{
		User:              h.user(),
		Auth:              auth,
		HostKeyAlgorithms: hostKeyAlgorithms(h.HostKey),
		ClientVersion:     "SSH-2.0-azlin",
	}
	// An agent may wait for the touch of a hardware key; on a timeout it is closed too.
	letGo := func() { _ = closeAll(closers) }
	client, err := h.retried(ctx, func() (*ssh.Client, error) { return h.dial(ctx, *config, letGo) })
	if err != nil {
		letGo()
		return nil, nil, err
	}
	return client, closers, nil
}

// hostKeyAlgorithms lists the signature algorithms that the recorded key can answer with.
func hostKeyAlgorithms(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

// authMethods offers the key file first, then the earlier keys, then the agent's keys. A key with a passphrase is left to
// the agent.
func (h Host) authMethods(ctx context.Context) ([]ssh.AuthMethod, []io.Closer, error) {
	var signers []ssh.Signer
	var locked bool
	if h.KeyPath != "" {
		path := strings.TrimSuffix(h.KeyPath, ".pub")
		data, err := atomicfile.Read(path)
		if err != nil && h.AgentSocket == "" {
			return nil, nil, keypair.KeyError(path, err)
		}
		if err == nil {
			signer, err := ssh.ParsePrivateKey(data)
			var missing *ssh.PassphraseMissingError
			switch {
			case errors.As(err, &missing):
				locked = true
			case err != nil:
				return nil, nil, keypair.KeyError(path, err)
			default:
				signers = append(signers, signer)
			}
		}
	}
	signers = append(signers, h.earlier()...)
	var closers []io.Closer
	if h.AgentSocket != "" {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "unix", h.AgentSocket); err == nil {
			closers = append(closers, conn)
			bounded, cancel := context.WithTimeout(ctx, h.Limits.connect())
			stop := context.AfterFunc(bounded, func() { _ = conn.Close() }) // an agent that does not answer is treated as absent
			if held, err := agent.NewClient(conn).Signers(); err == nil {
				signers = append(signers, held...)
			}
			stop()
			cancel()
		}
	}
	if h.Only != nil {
		signers = slices.DeleteFunc(signers, func(s ssh.Signer) bool { return !keypair.Same(s.PublicKey(), h.Only) })
	}
	if len(signers) == 0 {
		reason := errors.New("there is no key to sign in with")
		if locked {
			reason = fmt.Errorf("the key %s has a passphrase and no agent holds it: run ssh-add %s", h.KeyPath, Quote(h.KeyPath))
		}
		return nil, nil, errors.Join(h.failure(errkind.Permission, reason), closeAll(closers))
	}
	return []ssh.AuthMethod{ssh.PublicKeys(signers...)}, closers, nil
}

func closeAll(closers []io.Closer) error {
	var errs []error
	for _, c := range closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func (c *Client) closeAuth() error { return closeAll(c.closers) }

// Close ends the connection and everything that uses it.
func (c *Client) Close() error { return errors.Join(c.ssh.Close(), c.closeAuth()) }

// WaitForSSH dials h every interval (default one second) until it accepts a login, and returns that connection. It retries
// while the machine boots: no answer, a refused connection, or a key that is not yet accepted because the user does not
// exist yet. Another host key ends it at once, and so does a route (Host.Via) that the caller may not use. report, which may
// be nil, is called after every failed attempt. When ctx ends, the error contains the last failure.
func WaitForSSH(ctx context.Context, h Host, interval time.Duration, report func(attempt int, last error)) (*Client, error) {
	interval = cmp.Or(interval, time.Second)
	var last error
	for attempt := 1; ; attempt++ {
		client, err := Dial(ctx, h)
		if err == nil {
			return client, nil
		}
		if errkind.Of(err) == errkind.HostKey || errors.Is(err, keypair.ErrKey) || h.hopeless(err) {
			return nil, err
		}
		if last == nil || ctx.Err() == nil {
			last = err // an attempt that ctx interrupts has a less specific error
		}
		if report != nil && ctx.Err() == nil {
			report(attempt, err)
		}
		select {
		case <-ctx.Done():
			return nil, h.gaveUp(ctx, attempt, last)
		case <-time.After(interval):
		}
	}
}

// hopeless reports whether waiting cannot open the route to the host.
func (h Host) hopeless(err error) bool {
	if h.Via == nil || errors.Is(err, ErrKeyRefused) {
		return false
	}
	switch errkind.Of(err) {
	case errkind.Auth, errkind.Permission, errkind.Invalid, errkind.Conflict, errkind.NotFound:
		return true
	}
	return false
}

func (h Host) gaveUp(ctx context.Context, attempts int, last error) error {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return context.Cause(ctx)
	}
	return &errkind.Error{
		Kind: errkind.Of(last), Op: "wait for SSH on", Resource: h.name(), Class: ErrConnection,
		Err: fmt.Errorf("gave up after %s: %w", attemptsText(attempts), rootCause(last)),
	}
}

// TestConnection reports whether h accepts a login within timeout (default 10 seconds).
func TestConnection(ctx context.Context, h Host, timeout time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(timeout, 10*time.Second))
	defer cancel()
	c, err := Dial(ctx, h)
	if err != nil {
		return false
	}
	_ = c.Close() // only the login was tested
	return true
}
