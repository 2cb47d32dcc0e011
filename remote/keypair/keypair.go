package keypair

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// ErrKey is the class of the failures of this package, for errors.Is.
var ErrKey = errors.New("SSH key error")

// DefaultKeyName is the file name of the key pair that azlin makes for itself.
const DefaultKeyName = "azlin_key"

// KeyPair names the two halves of an SSH key on disk.
type KeyPair struct {
	Private string
	Public  string // Private + ".pub"
}

// KeyError names the file of a key that cannot be used.
func KeyError(path string, err error) error {
	return &errkind.Error{Kind: errkind.Invalid, Op: "ssh key", Resource: path, Class: ErrKey, Err: err}
}

// CheckKeyPath reports whether there is a key to sign in with at path, either half of it: an agent may hold the private
// one. Otherwise ssh would go on with the keys that it finds elsewhere. An empty path is none that was asked for. The
// error is of class ErrKey.
func CheckKeyPath(path string) error {
	if path == "" {
		return nil
	}
	private := strings.TrimSuffix(path, ".pub")
	_, err := os.Stat(private)
	if err != nil {
		if _, public := os.Stat(private + ".pub"); public == nil {
			return nil
		}
		return KeyError(path, err)
	}
	return nil
}

// GenerateKeyPair makes sure that dir holds the ed25519 key pair name (default azlin_key) and returns
// its paths. An existing private key is never replaced; its public half is derived when it is missing.
// The directory is created with mode 0700, the private key with 0600.
func GenerateKeyPair(dir, name string) (KeyPair, error) {
	if name == "" {
		name = DefaultKeyName
	}
	if name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return KeyPair{}, KeyError(name, errors.New("a key name is a plain file name"))
	}
	pair := KeyPair{Private: filepath.Join(dir, name)}
	pair.Public = pair.Private + ".pub"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return KeyPair{}, KeyError(dir, err)
	}
	private, err := os.ReadFile(pair.Private)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if private, err = createPrivateKey(pair.Private); err != nil {
			return KeyPair{}, KeyError(pair.Private, err)
		}
	case err != nil:
		return KeyPair{}, KeyError(pair.Private, err)
	}
	if _, err := os.Stat(pair.Public); err == nil {
		return pair, nil
	}
	line, err := publicHalf(private)
	if err != nil {
		return KeyPair{}, KeyError(pair.Private, err)
	}
	if err := atomicfile.Write(pair.Public, []byte(line+" azlin\n"), 0o644); err != nil {
		return KeyPair{}, KeyError(pair.Public, err)
	}
	return pair, nil
}

// createPrivateKey makes a new key, unless there is one by then: two processes cannot replace each other's, and the loser
// reads the winner's key. It is written under another name first, so that nobody finds half of it.
func createPrivateKey(path string) ([]byte, error) {
	data, err := newPrivateKey("azlin")
	if err != nil {
		return nil, err
	}
	whole := path + ".new-" + uuid.NewString()
	if err := writeNew(whole, data); err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(whole) }() // the key has two names by then, or another one won
	err = os.Link(whole, path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links
		err = writeNew(path, data)
	}
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path)
	}
	return data, err
}

// writeNew writes a file that must not exist.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, werr := f.Write(data)
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func newPrivateKey(comment string) ([]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}

// publicHalf derives the authorized_keys line, without comment, of an unencrypted private key, or of
// an encrypted one in OpenSSH's format, which carries its public half in the clear.
func publicHalf(private []byte) (string, error) {
	signer, err := ssh.ParsePrivateKey(private)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked) && locked.PublicKey != nil:
		return AuthorizedKey(locked.PublicKey), nil
	case err != nil:
		return "", err
	}
	return AuthorizedKey(signer.PublicKey()), nil
}

// AuthorizedKey is a public key as a line of authorized_keys.
func AuthorizedKey(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// KeyExists reports whether both halves of the key pair name are in dir.
func KeyExists(dir, name string) bool {
	if name == "" {
		name = DefaultKeyName
	}
	for _, f := range []string{name, name + ".pub"} {
		if info, err := os.Stat(filepath.Join(dir, f)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// PublicKeyContent reads a public key file and returns its line, checked to be a public key. A
// private key given by mistake is refused without its content appearing in the error.
func PublicKeyContent(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", KeyError(path, err)
	}
	if strings.Contains(string(data), "PRIVATE KEY") {
		return "", KeyError(path, errors.New("this is a private key; the public half ends in .pub"))
	}
	if _, _, _, _, err := ssh.ParseAuthorizedKey(data); err != nil {
		return "", KeyError(path, fmt.Errorf("not a public key: %w", err))
	}
	return strings.TrimSpace(string(data)), nil
}

// At returns the pair for a path to either half, deriving and writing nothing. The public line is
// read from the .pub file, or else derived from the private key.
func At(path string) (pair KeyPair, public string, err error) {
	private := strings.TrimSuffix(path, ".pub")
	pair = KeyPair{Private: private, Public: private + ".pub"}
	if public, err = PublicKeyContent(pair.Public); err == nil {
		return pair, public, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return pair, "", err
	}
	data, err := os.ReadFile(private)
	if err != nil {
		return pair, "", KeyError(private, err)
	}
	public, err = publicHalf(data)
	if err != nil {
		return pair, "", KeyError(private, err)
	}
	return pair, public, nil
}

// HostKey is a machine's identity, made by azlin before the machine exists.
type HostKey struct {
	Private string // OpenSSH PEM; secret until the machine has it
	Public  string // authorized_keys form, without comment
}

// NewHostKey makes an ed25519 host key.
func NewHostKey() (HostKey, error) {
	private, err := newPrivateKey("")
	if err != nil {
		return HostKey{}, KeyError("new host key", err)
	}
	public, err := publicHalf(private)
	if err != nil {
		return HostKey{}, KeyError("new host key", err)
	}
	return HostKey{Private: string(private), Public: public}, nil
}
