package emulator

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The ids of the emulated cloud. They are the same everywhere, so that what names them stays valid.
const (
	tenantID       = "7a1d0c2e-5b34-4e0f-9c61-0a2f1b7d9e10"
	subscriptionID = "2f4c9b1a-8d3e-4a57-b6f0-3c5d7e9a1b24"
	clientID       = "c3b7e5d1-6a29-4f80-9e12-8d4b6f0a2c35"
	objectID       = "d9e2f4a6-1b3c-4d5e-8f70-9a1b2c3d4e5f"
	userID         = "e1f3a5b7-2c4d-4e6f-9a8b-0c1d2e3f4a5b"
)

// Identity is the service principal that may sign in.
type Identity struct {
	TenantID       string
	SubscriptionID string
	ClientID       string
	ClientSecret   string // random per state directory
	IdentityHeader string // of the managed identities' endpoint; random per state directory
}

// Identity returns the default service principal.
func (e *Emulator) Identity() Identity { return e.identity }

// keys are the secrets of a state directory.
type keys struct {
	Secret  string `json:"client_secret"`
	Signing string `json:"token_key"` // hexadecimal
	Header  string `json:"identity_header"`
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // does not fail
	return hex.EncodeToString(b)
}

// secretFile holds the client secret alone, for programs that take it from a file.
const secretFile = "client-secret"

// loadKeys reads the secrets of a directory, or makes them.
func loadKeys(dir string) (keys, error) {
	k := keys{Secret: randomHex(20), Signing: randomHex(32), Header: randomHex(20)}
	if dir == "" {
		return k, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return keys{}, fmt.Errorf("open emulator: %w", err)
	}
	name := filepath.Join(dir, "keys.json")
	data, err := os.ReadFile(name)
	if err == nil {
		if err := json.Unmarshal(data, &k); err != nil {
			return keys{}, fmt.Errorf("open emulator: read %s: %w", name, err)
		}
		if bytes.Contains(data, []byte(`"identity_header"`)) {
			return k, nil
		}
		// The directory is older than managed identities.
	} else if !errors.Is(err, fs.ErrNotExist) {
		return keys{}, fmt.Errorf("open emulator: %w", err)
	}
	if data, err = json.Marshal(k); err != nil {
		return keys{}, err
	}
	if err := writeFile(name, data); err != nil {
		return keys{}, fmt.Errorf("open emulator: %w", err)
	}
	return k, writeFile(filepath.Join(dir, secretFile), []byte(k.Secret))
}

// writeFile replaces a file, readable by its owner only, so that a reader or a crash sees the old
// content or the new.
func writeFile(name string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()           // the first error is the one that matters
			_ = os.Remove(tmp.Name()) // as above
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
