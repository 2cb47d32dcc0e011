package keypair

import (
	"cmp"
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

// DefaultKeyName is the file name of azlin's own key pair.
const DefaultKeyName = "azlin_key"

// KeyPair holds the paths of an SSH key's halves.
type KeyPair struct {
	Private string
	Public  string // Private + ".pub"
}

// KeyError adds the file's name to the error of an unusable key.
func KeyError(path string, err error) error {
	return &errkind.Error{Kind: errkind.Invalid, Op: "ssh key", Resource: path, Class: ErrKey, Err: err}
}

// CheckKeyPath checks that there is a key at path, either half of it: an agent may hold the private one. Without this, ssh
// would use other keys that it finds. An empty path is valid. The error is of class ErrKey.
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

// GenerateKeyPair ensures that dir has the ed25519 key pair name (default azlin_key) and returns its paths. An existing
// private key is never replaced; a missing public half is derived. The directory is created with mode 0700, the private key
// with 0600.
func GenerateKeyPair(dir, name string) (KeyPair, error) {
	d, err := Prepare(dir, name)
	if err != nil {
		return KeyPair{}, err
	}
	return d.KeyPair, d.Save()
}

// Draft is a key pair that is on disk after Save.
type Draft struct {
	KeyPair
	Line string // the public half, a line of authorized_keys
	New  bool   // the key is not on disk yet

	private []byte
}

// Prepare reads the key pair name (default azlin_key) of dir, or generates a new ed25519 key in memory. It writes nothing.
func Prepare(dir, name string) (*Draft, error) {
	if name == "" {
		name = DefaultKeyName
	}
	if name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return nil, KeyError(name, errors.New("a key name is a plain file name"))
	}
	d := &Draft{KeyPair: KeyPair{Private: filepath.Join(dir, name)}}
	d.Public = d.Private + ".pub"
	var err error
	d.private, err = atomicfile.Read(d.Private)
	if errors.Is(err, fs.ErrNotExist) {
		d.New = true
		d.private, err = newPrivateKey("azlin")
	}
	if err != nil {
		return nil, KeyError(d.Private, err)
	}
	return d, d.derive()
}

// derive determines the public half.
func (d *Draft) derive() error {
	beside, err := atomicfile.Read(d.Public)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return KeyError(d.Public, err)
	}
	key, _, err := publicOf(d.private, beside)
	if err != nil {
		return KeyError(d.Private, err)
	}
	d.Line = AuthorizedKey(key) + " azlin"
	if other, _, _, _, err := ssh.ParseAuthorizedKey(beside); err == nil && Same(other, key) {
		d.Line = strings.TrimSpace(string(beside))
	}
	return nil
}

// Save writes the missing halves. If another process created the key meanwhile, that one is kept, and Line becomes its
// public half.
func (d *Draft) Save() error {
	if d.New {
		if err := os.MkdirAll(filepath.Dir(d.Private), 0o700); err != nil {
			return KeyError(filepath.Dir(d.Private), err)
		}
		private, err := createPrivateKey(d.Private, d.private)
		if err != nil {
			return KeyError(d.Private, err)
		}
		d.New, d.private = false, private
		if err := d.derive(); err != nil {
			return err
		}
	}
	if _, err := os.Stat(d.Public); err == nil {
		return nil
	}
	if err := atomicfile.Write(d.Public, []byte(d.Line+"\n"), 0o644); err != nil {
		return KeyError(d.Public, err)
	}
	return nil
}

// createPrivateKey writes a new key unless one exists: processes cannot replace each other's key, and the later one reads
// the earlier one's. It writes to a temporary name first, so that no incomplete file is visible.
func createPrivateKey(path string, data []byte) ([]byte, error) {
	whole := path + ".new-" + uuid.NewString()
	if err := writeNew(whole, data); err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(whole) }() // the key also has its final name, or was created by another process
	err := os.Link(whole, path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without hard links
		err = writeNew(path, data)
	}
	if errors.Is(err, fs.ErrExist) {
		return atomicfile.Read(path)
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

// AuthorizedKey is a public key as a line of authorized_keys.
func AuthorizedKey(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// KeyExists reports whether dir has the private key name (default azlin_key). Its public half can be derived.
func KeyExists(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, cmp.Or(name, DefaultKeyName)))
	return err == nil && info.Mode().IsRegular()
}

// PublicKeyContent reads a public key file and returns its line, after validating it. If it is a private key, the error does
// not contain its content.
func PublicKeyContent(path string) (string, error) {
	data, err := atomicfile.Read(path)
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

// At returns the pair for a path to either half, and the public line, and writes nothing. The line is derived from the
// private key if that is on this machine, with the .pub file's comment.
func At(path string) (pair KeyPair, public string, err error) {
	private := privatePath(path)
	pair = KeyPair{Private: private, Public: private + ".pub"}
	k, err := ReadPublic(path)
	return pair, k.Line, err
}

// HostKey is a VM's host key, generated by azlin before the VM exists.
type HostKey struct {
	Private string // OpenSSH PEM; secret
	Public  string // authorized_keys form, without comment
}

// NewHostKey generates an ed25519 host key.
func NewHostKey() (HostKey, error) {
	private, err := newPrivateKey("")
	if err != nil {
		return HostKey{}, KeyError("new host key", err)
	}
	public, _, err := publicOf(private, nil)
	if err != nil {
		return HostKey{}, KeyError("new host key", err)
	}
	return HostKey{Private: string(private), Public: AuthorizedKey(public)}, nil
}
