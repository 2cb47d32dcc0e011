// Package credential keeps the secrets of an emulator's directory: client secrets, signing keys, the certificate authority, and
// what its principals sign in with.
package credential

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/azlin-dev/azlin/emulator/journal"
)

// keys are the secrets of a state directory. Tokens and clients' settings are of no use without them, so there is a copy
// of the file.
type keys struct {
	Version int    `json:"version,omitempty"`
	Secret  string `json:"client_secret"`
	Signing string `json:"token_key"` // hexadecimal
	Header  string `json:"identity_header"`
	Sum     string `json:"checksum,omitempty"` // of the others
}

// keysVersion is what is written. Files without a version have no checksum.
const keysVersion = 2

const (
	keysFile = "keys.json"
	keysCopy = "keys-copy.json"
	// SecretFile holds the client secret alone, for programs that take it from a file.
	SecretFile = "client-secret"
)

func (k keys) checksum() string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE(fmt.Appendf(nil, "%d %s %s %s", k.Version, k.Secret, k.Signing, k.Header)))
}

// readKeys reads one of the files; whole is false for one that is older than managed identities.
func readKeys(name string) (k keys, whole bool, err error) {
	data, err := journal.ReadFile(name)
	if err != nil {
		return k, false, err
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return k, false, err
	}
	switch {
	case k.Version > keysVersion:
		return k, false, fmt.Errorf("its version is %d, this program reads up to %d: a newer one wrote it", k.Version, keysVersion)
	case (k.Version != 0 || k.Sum != "") && k.Sum != k.checksum(), k.Secret == "", k.Signing == "":
		return k, false, errors.New("its checksum does not fit: it was damaged, or edited")
	}
	return k, k.Header != "" && k.Version == keysVersion, nil
}

// LoadKeys reads the secrets of a directory, or makes them.
func LoadKeys(dir string) (keys, error) {
	fresh := keys{Version: keysVersion, Secret: RandomHex(20), Signing: RandomHex(32), Header: RandomHex(20)}
	if dir == "" {
		return fresh, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return keys{}, fmt.Errorf("open emulator: %w", err)
	}
	name, spare := filepath.Join(dir, keysFile), filepath.Join(dir, keysCopy)
	k, whole, err := readKeys(name)
	if err != nil {
		var spareErr error
		if k, _, spareErr = readKeys(spare); spareErr == nil {
			whole, err = false, nil // the file is written anew
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k, whole = fresh, false
	case err != nil:
		return keys{}, fmt.Errorf("open emulator: read %s: %w; move it away for new secrets: what there is stays, who is signed in is not", name, err)
	}
	if k.Header == "" {
		k.Header = fresh.Header
	}
	k.Version = keysVersion
	k.Sum = k.checksum()
	data, err := json.Marshal(k)
	if err != nil {
		return keys{}, err
	}
	for file, content := range map[string][]byte{spare: data, filepath.Join(dir, SecretFile): []byte(k.Secret)} {
		if have, err := journal.ReadFile(file); err == nil && bytes.Equal(have, content) {
			continue
		}
		if err := journal.WriteFile(file, content); err != nil {
			return keys{}, fmt.Errorf("open emulator: %w", err)
		}
	}
	if whole {
		return k, nil
	}
	if err := journal.WriteFile(name, data); err != nil {
		return keys{}, fmt.Errorf("open emulator: %w", err)
	}
	return k, nil
}

// RandomHex is n random bytes in hexadecimal.
func RandomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // does not fail
	return hex.EncodeToString(b)
}
