package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/azlin-dev/azlin/errkind"
)

// DefaultUser is the login user of VMs that azlin creates.
const DefaultUser = "azureuser"

// DefaultPort is the SSH port when a Host names none.
const DefaultPort = 22

// Host is everything needed to reach one VM and to know that it is the right one.
type Host struct {
	Name        string        // for messages; empty: Address
	VMID        string        // the name under which its host key is recorded
	Address     string        // IP address or host name
	Port        int           // 0: 22
	User        string        // empty: azureuser
	KeyPath     string        // private key; empty: only the agent's keys
	AgentSocket string        // SSH_AUTH_SOCK; empty: no agent
	HostKey     ssh.PublicKey // the key the VM must show; required
}

func (h Host) name() string { return cmp.Or(h.Name, h.Address) }
func (h Host) user() string { return cmp.Or(h.User, DefaultUser) }
func (h Host) port() int    { return cmp.Or(h.Port, DefaultPort) }

func (h Host) failure(kind errkind.Kind, err error) error {
	class := ErrConnection
	if kind == errkind.HostKey {
		class = ErrHostKey
	}
	return &errkind.Error{Kind: kind, Op: "connect to", Resource: h.name(), Class: class, Err: err}
}

// ErrKeyRefused is the cause when the machine answered but accepted none of the keys offered.
var ErrKeyRefused = errors.New("the VM accepts none of the offered keys")

// dialTimeout bounds the TCP connection and the handshake together, when ctx does not do so sooner.
const dialTimeout = 15 * time.Second

// Client is an SSH connection to a VM. Close it when done.
type Client struct {
	ssh     *ssh.Client
	host    Host
	closers []io.Closer

	agentOnce sync.Once
}

// Dial connects to h and verifies its host key. The error is of kind Unreachable when nothing answers,
// HostKey when another machine does, and Permission when the key is refused.
func Dial(ctx context.Context, h Host) (*Client, error) {
	if h.HostKey == nil {
		return nil, h.failure(errkind.HostKey, errors.New("its host key is not known"))
	}
	auth, closers, err := h.authMethods(ctx)
	if err != nil {
		return nil, err
	}
	client := &Client{host: h, closers: closers}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	addr := net.JoinHostPort(h.Address, strconv.Itoa(h.port()))
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, errors.Join(h.failure(errkind.Unreachable, err), client.closeAuth())
	}
	// ssh.NewClientConn knows no context: closing the connection is what ends it.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	config := &ssh.ClientConfig{
		User:              h.user(),
		Auth:              auth,
		HostKeyAlgorithms: hostKeyAlgorithms(h.HostKey),
		ClientVersion:     "SSH-2.0-azlin",
	}
	var shown ssh.PublicKey // kept to say in the error which key it was
	config.HostKeyCallback = func(name string, remote net.Addr, key ssh.PublicKey) error {
		shown = key
		return ssh.FixedHostKey(h.HostKey)(name, remote, key)
	}
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, config)
	if err != nil {
		_ = conn.Close() // the handshake error says why
		return nil, errors.Join(h.classify(ctx, err, shown), client.closeAuth())
	}
	client.ssh = ssh.NewClient(c, chans, reqs)
	return client, nil
}

func (h Host) classify(ctx context.Context, err error, shown ssh.PublicKey) error {
	switch {
	case shown != nil && !same(shown, h.HostKey):
		return h.failure(errkind.HostKey, fmt.Errorf("expected host key %s, the machine showed %s",
			ssh.FingerprintSHA256(h.HostKey), ssh.FingerprintSHA256(shown)))
	case strings.Contains(err.Error(), "no common algorithm for host key"):
		return h.failure(errkind.HostKey, fmt.Errorf("the machine no longer has its %s host key: %w", h.HostKey.Type(), err))
	case strings.Contains(err.Error(), "unable to authenticate"):
		return h.failure(errkind.Permission, fmt.Errorf("%w for user %s: %w", ErrKeyRefused, h.user(), err))
	case ctx.Err() != nil:
		return h.failure(errkind.Unreachable, fmt.Errorf("no SSH handshake: %w", context.Cause(ctx)))
	}
	return h.failure(errkind.Unreachable, err)
}

// hostKeyAlgorithms lists the signature algorithms that the recorded key can answer with.
func hostKeyAlgorithms(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

// authMethods offers the key file first and the agent's keys after it. A key with a passphrase is
// left to the agent.
func (h Host) authMethods(ctx context.Context) ([]ssh.AuthMethod, []io.Closer, error) {
	var signers []ssh.Signer
	var locked bool
	if h.KeyPath != "" {
		path := strings.TrimSuffix(h.KeyPath, ".pub")
		data, err := os.ReadFile(path)
		if err != nil && h.AgentSocket == "" {
			return nil, nil, keyError(path, err)
		}
		if err == nil {
			signer, err := ssh.ParsePrivateKey(data)
			var missing *ssh.PassphraseMissingError
			switch {
			case errors.As(err, &missing):
				locked = true
			case err != nil:
				return nil, nil, keyError(path, err)
			default:
				signers = append(signers, signer)
			}
		}
	}
	var closers []io.Closer
	if h.AgentSocket != "" {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "unix", h.AgentSocket); err == nil {
			closers = append(closers, conn)
			if held, err := agent.NewClient(conn).Signers(); err == nil {
				signers = append(signers, held...)
			}
		}
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

// Close ends the connection and everything that runs over it.
func (c *Client) Close() error { return errors.Join(c.ssh.Close(), c.closeAuth()) }

// WaitForSSH dials h every interval (default one second) until it accepts a login, and returns that
// connection. It goes on while the machine boots: no answer, a refused connection, or a key that is not
// yet accepted because the user does not exist yet. Another machine's host key ends it at once. report,
// which may be nil, is told after every failed attempt. When ctx ends, the error holds the last failure.
func WaitForSSH(ctx context.Context, h Host, interval time.Duration, report func(attempt int, last error)) (*Client, error) {
	interval = cmp.Or(interval, time.Second)
	for attempt := 1; ; attempt++ {
		client, err := Dial(ctx, h)
		if err == nil {
			return client, nil
		}
		if errkind.Of(err) == errkind.HostKey || errors.Is(err, ErrKey) {
			return nil, err
		}
		if report != nil && ctx.Err() == nil {
			report(attempt, err)
		}
		select {
		case <-ctx.Done():
			return nil, h.gaveUp(ctx, attempt, err)
		case <-time.After(interval):
		}
	}
}

func (h Host) gaveUp(ctx context.Context, attempts int, last error) error {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return context.Cause(ctx)
	}
	return &errkind.Error{
		Kind: errkind.Of(last), Op: "wait for SSH on", Resource: h.name(), Class: ErrConnection,
		Err: fmt.Errorf("gave up after %d attempts; the last said: %w", attempts, last),
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
	_ = c.Close() // it answered; that is all that was asked
	return true
}
