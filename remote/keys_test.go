package remote_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/test/local/machine"
)

func TestGenerateKeyPairNeverReplaces(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ssh")
	if keypair.KeyExists(dir, "") {
		t.Error("a key exists in an absent directory")
	}
	pair, err := keypair.GenerateKeyPair(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if pair.Private != filepath.Join(dir, "azlin_key") || !keypair.KeyExists(dir, "") {
		t.Errorf("got %+v", pair)
	}
	private := read(t, pair.Private)
	if info, err := os.Stat(pair.Private); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("private key: %v, %v", info.Mode(), err)
	}
	public := read(t, pair.Public)

	// A lost public half is derived, and the private one stays.
	if err := os.Remove(pair.Public); err != nil {
		t.Fatal(err)
	}
	if _, err := keypair.GenerateKeyPair(dir, ""); err != nil {
		t.Fatal(err)
	}
	if read(t, pair.Private) != private {
		t.Error("the private key was replaced")
	}
	if got := read(t, pair.Public); got != public {
		t.Errorf("derived %q, want %q", got, public)
	}
}

func TestGenerateKeyPairAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := keypair.GenerateKeyPair(dir, "k"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	signer, err := ssh.ParsePrivateKey([]byte(read(t, filepath.Join(dir, "k"))))
	if err != nil {
		t.Fatal(err)
	}
	line, err := keypair.PublicKeyContent(filepath.Join(dir, "k.pub"))
	if err != nil {
		t.Fatal(err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || string(public.Marshal()) != string(signer.PublicKey().Marshal()) {
		t.Errorf("the halves do not belong together: %v", err)
	}
}

func TestKeyErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pair, err := keypair.GenerateKeyPair(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage.pub")
	if err := os.WriteFile(garbage, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"a private key as public": func() error { _, err := keypair.PublicKeyContent(pair.Private); return err },
		"garbage":                 func() error { _, err := keypair.PublicKeyContent(garbage); return err },
		"absent":                  func() error { _, err := keypair.PublicKeyContent(filepath.Join(dir, "no.pub")); return err },
		"a path as name":          func() error { _, err := keypair.GenerateKeyPair(dir, "../x"); return err },
		"a hidden name":           func() error { _, err := keypair.GenerateKeyPair(dir, ".x"); return err },
	} {
		err := f()
		if !errors.Is(err, keypair.ErrKey) {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

func TestKeyPairAtDerives(t *testing.T) {
	t.Parallel()
	pair, err := keypair.GenerateKeyPair(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	want, err := keypair.PublicKeyContent(pair.Public)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(pair.Public); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pair.Private, pair.Public} {
		_, got, err := keypair.At(path)
		if err != nil || !strings.HasPrefix(want, got) {
			t.Errorf("%s: got %q, %v", path, got, err)
		}
	}
	if _, err := os.Stat(pair.Public); !os.IsNotExist(err) {
		t.Error("At wrote a file")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestEarlierKeys signs in where only a key is accepted that was in use before, and with one certain key.
func TestEarlierKeys(t *testing.T) {
	t.Parallel()
	m := machine.Boot(t)
	accepted, err := keypair.PublicKeyContent(m.KeyPath + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := keypair.GenerateKeyPair(t.TempDir(), "new")
	if err != nil {
		t.Fatal(err)
	}
	h := m.Host
	h.KeyPath, h.EarlierKeys = pair.Private, []string{filepath.Join(t.TempDir(), "gone"), m.KeyPath}
	c, err := remote.Dial(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	args, err := remote.Interactive{Host: h, KnownHosts: m.Known}.Args()
	file := func(path string) int { return slices.Index(args, `IdentityFile="`+path+`"`) }
	if err != nil || file(pair.Private) < 0 || file(m.KeyPath) < file(pair.Private) || !slices.Contains(args, "IdentitiesOnly=yes") {
		t.Errorf("ssh gets %q, %v", args, err)
	}
	public, err := keypair.PublicKeyContent(pair.Public)
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]error{accepted: nil, public: remote.ErrKeyRefused} {
		if h.Only, _, _, _, err = ssh.ParseAuthorizedKey([]byte(line)); err != nil {
			t.Fatal(err)
		}
		c, err := remote.Dial(t.Context(), h)
		if !errors.Is(err, want) {
			t.Errorf("with %s only: %v", line, err)
		}
		if err == nil {
			_ = c.Close() // it was let in
		}
	}
}
