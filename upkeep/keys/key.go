package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/azlin-dev/azlin/errkind"
)

// Key is a key pair of this machine.
type Key struct {
	Path        string // the private half; of a key that only the agent holds, the public half
	Line        string // the public half: type, key and comment
	Fingerprint string // SHA256:...
	InAgent     bool   // the private half is with the agent, and in no file, or in one with a passphrase

	public ssh.PublicKey
}

// Read reads the key pair of which path is either half. The private half must be at hand: the path without .pub, or
// with the agent (empty: none). A key without it is Invalid, as nobody could sign in with it.
func Read(ctx context.Context, path, agentSocket string) (Key, error) {
	k, usable, err := read(path)
	if err != nil {
		return k, keyError("read key", path, err)
	}
	if usable {
		return k, nil
	}
	k.InAgent = true
	if !inAgent(ctx, agentSocket, k.public) {
		return k, keyError("read key", path, fmt.Errorf("its private half is neither in %s, without a passphrase, nor with the agent", privatePath(path)))
	}
	return k, nil
}

// Public reads the public half of a key pair of which path is either half, whether or not anybody can sign in with it.
func Public(path string) (Key, error) {
	k, _, err := read(path)
	if err != nil {
		return k, keyError("read key", path, err)
	}
	return k, nil
}

func privatePath(path string) string { return strings.TrimSuffix(path, ".pub") }

// read reads a key pair. usable says whether the private half can be used as it is.
func read(path string) (k Key, usable bool, err error) {
	private := privatePath(path)
	public, perr := os.ReadFile(private + ".pub")
	if perr != nil && !errors.Is(perr, fs.ErrNotExist) {
		return k, false, perr
	}
	data, err := os.ReadFile(private)
	switch {
	case errors.Is(err, fs.ErrNotExist) && perr == nil:
		k.Path = private + ".pub"
		if k.public, _, _, _, err = ssh.ParseAuthorizedKey(public); err != nil {
			return k, false, fmt.Errorf("%s.pub is not a public key: %w", private, err)
		}
	case err != nil:
		return k, false, err
	default:
		k.Path = private
		if k.public, usable, err = publicOf(data); err != nil {
			return k, false, err
		}
	}
	k.Fingerprint = ssh.FingerprintSHA256(k.public)
	k.Line = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k.public)))
	// The comment, if the file beside it is of the same key. A switch that was cut off may have left another one's.
	if other, comment, _, _, err := ssh.ParseAuthorizedKey(public); err == nil && sameKey(other, k.public) && comment != "" {
		k.Line += " " + comment
	}
	return k, usable, nil
}

func publicOf(private []byte) (key ssh.PublicKey, usable bool, err error) {
	signer, err := ssh.ParsePrivateKey(private)
	if locked, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		if locked.PublicKey == nil {
			return nil, false, errors.New("it has a passphrase, and its format does not tell the public half: put that beside it, with ssh-keygen -y")
		}
		return locked.PublicKey, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return signer.PublicKey(), true, nil
}

// parseLine reads a public line that azlin wrote down.
func parseLine(path, line string) (Key, error) {
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return Key{}, err
	}
	return Key{Path: path, Line: line, Fingerprint: ssh.FingerprintSHA256(public), public: public}, nil
}

func sameKey(a, b ssh.PublicKey) bool {
	return a != nil && b != nil && bytes.Equal(a.Marshal(), b.Marshal())
}

// agentPatience is how long an agent may take to say what it holds.
const agentPatience = 5 * time.Second

func inAgent(ctx context.Context, socket string, key ssh.PublicKey) bool {
	if socket == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, agentPatience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return false
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // it may never answer
	defer stop()
	held, err := agent.NewClient(conn).List()
	if err != nil {
		return false
	}
	for _, k := range held {
		if bytes.Equal(k.Marshal(), key.Marshal()) {
			return true
		}
	}
	return false
}

// ErrRotation is the class of this package's failures, for errors.Is. Their kind (errkind.Of) says more.
var ErrRotation = errors.New("key rotation failed")

// ErrVMs is the class of a rotation that was carried through and failed on VMs; their results say why.
var ErrVMs = errors.New("not every VM has the new key")

func keyError(op, resource string, err error) error {
	kind := errkind.Of(err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind = errkind.NotFound
	case kind == errkind.Unknown:
		kind = errkind.Invalid
	}
	return &errkind.Error{Kind: kind, Op: op, Resource: resource, Class: ErrRotation, Err: err}
}
