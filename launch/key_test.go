package launch_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// TestKeysNobodyCouldUseAreRefused shows that a key is judged before anything is made: with a damaged one the VM would
// have cost money and let nobody in.
func TestKeysNobodyCouldUseAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, key keypair.KeyPair)
		says  string
		next  string
	}{
		"empty":                     {spoil: replaceKey(func(key []byte) []byte { return nil }), says: "not a private key, or it is damaged"},
		"half":                      {spoil: replaceKey(func(key []byte) []byte { return key[:len(key)/2] }), says: "not a private key, or it is damaged"},
		"full of NULs":              {spoil: replaceKey(func(key []byte) []byte { return make([]byte, len(key)) }), says: "not a private key, or it is damaged"},
		"not there":                 {spoil: func(t *testing.T, key keypair.KeyPair) { remove(t, key.Private) }, says: "its private half is neither in"},
		"with a passphrase":         {spoil: replaceKey(lock(t)), says: "it has a passphrase, and no SSH agent holds it", next: "ssh-add "},
		"another key's public half": {spoil: anotherPublicHalf, says: "public half of another key", next: "ssh-keygen -y -f "},
		"a damaged public half": {spoil: func(t *testing.T, key keypair.KeyPair) {
			write(t, key.Public, []byte("ssh-ed25519 AAAA"))
		}, says: "not a public key", next: "ssh-keygen -y -f "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newPlanningCloud(t, emulator.Options{})
			tc.spoil(t, c.Key)
			_, err := c.plan(t.Context(), c.open(t, "state", nil), func(*launch.Request) {})
			if err == nil || errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("got %v, want an invalid key: %s", err, tc.says)
			}
			if step := errkind.Next(err); !strings.HasPrefix(step.Command, tc.next) {
				t.Errorf("the next step is %q, want %q", step.Command, tc.next)
			}
			if methods := wrote(c); methods != nil {
				t.Errorf("something was sent: %v", methods)
			}
		})
	}
}

// TestPublicHalfIsDerived shows that a key without its public half is as good as one with it.
func TestPublicHalfIsDerived(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{})
	want, err := os.ReadFile(c.Key.Public)
	if err != nil {
		t.Fatal(err)
	}
	remove(t, c.Key.Public)
	plan, err := c.plan(t.Context(), c.open(t, "state", nil), func(*launch.Request) {})
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Config.SSHPublicKeys[0]; !strings.HasPrefix(string(want), got) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPlanWritesNoKey shows that the default key is made by Run, and that it is the one of the plan.
func TestPlanWritesNoKey(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{})
	client := c.open(t, "state", nil)
	dir := filepath.Join(t.TempDir(), "ssh")
	client.Launcher.Defaults.KeyPath = filepath.Join(dir, "azlin_key")
	plan, err := c.plan(t.Context(), client, func(r *launch.Request) { r.KeyPath, r.SSHTimeout = "", time.Second })
	if err != nil {
		t.Fatal(err)
	}
	if !plan.NewKey() {
		t.Error("the plan does not say that it makes a key")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the plan made %s: %v", dir, err)
	}
	planned := plan.Config.SSHPublicKeys[0]
	// The VM has no host here, so nobody waits for its SSH for long.
	if _, err := client.Launcher.Run(t.Context(), plan, nil); err == nil {
		t.Fatal("a VM without a host answered")
	}
	written, err := os.ReadFile(filepath.Join(dir, "azlin_key.pub"))
	if err != nil || strings.TrimSpace(string(written)) != planned {
		t.Errorf("written: %s %v; planned: %s", written, err, planned)
	}
	if _, err := keypair.Read(t.Context(), filepath.Join(dir, "azlin_key"), ""); err != nil {
		t.Error(err)
	}
}

func replaceKey(change func([]byte) []byte) func(*testing.T, keypair.KeyPair) {
	return func(t *testing.T, key keypair.KeyPair) {
		data, err := os.ReadFile(key.Private)
		if err != nil {
			t.Fatal(err)
		}
		write(t, key.Private, change(data))
	}
}

func lock(t *testing.T) func([]byte) []byte {
	return func(key []byte) []byte {
		private, err := ssh.ParseRawPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		block, err := ssh.MarshalPrivateKeyWithPassphrase(*private.(*ed25519.PrivateKey), "", []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(block)
	}
}

func anotherPublicHalf(t *testing.T, key keypair.KeyPair) {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	write(t, key.Public, bytes.TrimSpace(ssh.MarshalAuthorizedKey(other)))
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}
