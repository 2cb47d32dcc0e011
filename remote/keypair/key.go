package keypair

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// Key is a key pair on this machine.
type Key struct {
	Path        string // the private half; for a key that only the agent holds, the public half
	Line        string // the public half: type, key and comment
	Fingerprint string // SHA256:...
	InAgent     bool   // the agent has the private half, and no file has it without a passphrase

	Public ssh.PublicKey `json:"-"`
}

// Read reads a key pair, of which path is either half, and checks that this machine can sign in with it: the private half
// must be a file without a passphrase, or in the agent at agentSocket (empty: no agent). Otherwise the error is of class
// ErrKey, and Key holds what is known. If both halves exist, the public one is derived from the private one.
func Read(ctx context.Context, path, agentSocket string) (Key, error) {
	k, usable, err := read(path)
	if err != nil {
		return k, KeyError(path, err)
	}
	if usable {
		return k, nil
	}
	k.InAgent = true
	if inAgent(ctx, agentSocket, k.Public) {
		return k, nil
	}
	private := privatePath(path)
	if k.Path != private {
		return k, KeyError(path, fmt.Errorf("its private half is neither in %s nor in an SSH agent", private))
	}
	return k, &errkind.Error{
		Kind: errkind.Invalid, Op: "ssh key", Resource: path, Class: ErrKey,
		Err:  errors.New("it has a passphrase, and no SSH agent holds it"),
		Next: errkind.Step{Action: errkind.Run, Command: "ssh-add " + private},
	}
}

// ReadPublic reads the public half of a key pair, of which path is either half, whether or not this machine can sign in with
// it.
func ReadPublic(path string) (Key, error) {
	k, _, err := read(path)
	if err != nil {
		return k, KeyError(path, err)
	}
	return k, nil
}

// CheckHalves returns an error if the .pub file of a private key belongs to another key: ssh would offer that one, and sign
// with this one.
func CheckHalves(path string) error {
	private := privatePath(path)
	k, _, err := read(private)
	if err != nil {
		return KeyError(private, err)
	}
	data, err := atomicfile.Read(private + ".pub")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return KeyError(private+".pub", err)
	}
	beside, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err == nil && Same(beside, k.Public) {
		return nil
	}
	reason := errors.New("it is the public half of another key")
	if err != nil {
		reason = errors.New("it is not a public key")
	}
	return &errkind.Error{
		Kind: errkind.Invalid, Op: "ssh key", Resource: private + ".pub", Class: ErrKey, Err: reason,
		Next: errkind.Step{Action: errkind.Run, Command: fmt.Sprintf("ssh-keygen -y -f %s > %s.pub", private, private)},
	}
}

func privatePath(path string) string { return strings.TrimSuffix(path, ".pub") }

// read reads a key pair. usable reports whether the private half is a file without a passphrase.
func read(path string) (k Key, usable bool, err error) {
	private := privatePath(path)
	public, perr := atomicfile.Read(private + ".pub")
	if perr != nil && !errors.Is(perr, fs.ErrNotExist) {
		return k, false, perr
	}
	data, err := atomicfile.Read(private)
	switch {
	case errors.Is(err, fs.ErrNotExist) && perr == nil:
		k.Path = private + ".pub"
		if k.Public, _, _, _, err = ssh.ParseAuthorizedKey(public); err != nil {
			return k, false, fmt.Errorf("%s.pub is not a public key", private)
		}
	case err != nil:
		return k, false, err
	default:
		k.Path = private
		if k.Public, usable, err = publicOf(data, public); err != nil {
			return k, false, err
		}
	}
	k.Fingerprint = ssh.FingerprintSHA256(k.Public)
	k.Line = AuthorizedKey(k.Public)
	// The .pub file's comment, if it is of the same key. An interrupted rotation may have left another key's file.
	if other, comment, _, _, err := ssh.ParseAuthorizedKey(public); err == nil && Same(other, k.Public) && comment != "" {
		k.Line += " " + comment
	}
	return k, usable, nil
}

// publicOf derives the public half of a private key. If a passphrase prevents that, it uses the .pub file.
func publicOf(private, beside []byte) (key ssh.PublicKey, usable bool, err error) {
	signer, err := ssh.ParsePrivateKey(private)
	if err == nil {
		return signer.PublicKey(), true, nil
	}
	locked, ok := errors.AsType[*ssh.PassphraseMissingError](err)
	switch {
	case !ok:
		return nil, false, errNotPrivate
	case locked.PublicKey != nil:
		return locked.PublicKey, false, nil
	}
	if key, _, _, _, err := ssh.ParseAuthorizedKey(beside); err == nil {
		return key, false, nil
	}
	return nil, false, errors.New("it has a passphrase and does not contain its public half; write that beside it with ssh-keygen -y")
}

// errNotPrivate replaces the errors of Go's parsers for an empty, incomplete or damaged file.
var errNotPrivate = errors.New("the file is not a private key, or it is damaged")

// Parse parses a line of authorized_keys as the public half of the key at path.
func Parse(path, line string) (Key, error) {
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return Key{}, err
	}
	return Key{Path: path, Line: line, Fingerprint: ssh.FingerprintSHA256(public), Public: public}, nil
}

// Same reports whether both are the same key; false if one is nil.
func Same(a, b ssh.PublicKey) bool {
	return a != nil && b != nil && bytes.Equal(a.Marshal(), b.Marshal())
}

// agentPatience is how long an agent may take to list its keys.
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
