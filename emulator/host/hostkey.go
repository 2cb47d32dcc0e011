package host

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/host/cloudinit"
	"github.com/azlin-dev/azlin/emulator/host/wire"
	"github.com/azlin-dev/azlin/emulator/journal"
)

// hostKeys returns the VM's SSH host keys: those that its first user data brought, else a generated one. They
// are kept outside of the VM too, for a VM whose /etc/ssh holds none.
func (p place) hostKeys(userData []byte) ([]wire.HostKey, []ssh.Signer, error) {
	keys, signers, err := readHostKeys(p.keyFile())
	if err == nil {
		return keys, signers, nil
	}
	if keys, signers, copyErr := readHostKeys(p.keyCopy()); copyErr == nil {
		return keys, signers, nil // whoever knows the VM knows its key: a new one would be refused
	} else if !errors.Is(err, fs.ErrNotExist) || !errors.Is(copyErr, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("host key: %w", err)
	}
	if err := p.makeHostKeys(userData); err != nil {
		return nil, nil, fmt.Errorf("host key: %w", err)
	}
	return readHostKeys(p.keyFile())
}

func readHostKeys(name string) ([]wire.HostKey, []ssh.Signer, error) {
	stored, err := journal.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	var keys []wire.HostKey
	var signers []ssh.Signer
	block, rest := pem.Decode(stored)
	for ; block != nil; block, rest = pem.Decode(rest) {
		private := pem.EncodeToMemory(block)
		signer, err := ssh.ParsePrivateKey(private)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
		keys = append(keys, wire.HostKey{Type: shortType(signer.PublicKey()), Private: string(private), Public: public})
		signers = append(signers, signer)
	}
	if len(signers) == 0 || strings.TrimSpace(string(rest)) != "" {
		return nil, nil, errors.New(name + " is damaged")
	}
	return keys, signers, nil
}

func (p place) keyFile() string { return filepath.Join(p.dir, "host_key") }
func (p place) keyCopy() string { return filepath.Join(p.dir, "host_key-copy") }

// makeHostKeys decides on the keys at the first boot and stores them.
func (p place) makeHostKeys(userData []byte) error {
	var stored []byte
	if config, err := cloudinit.Parse(userData); err == nil { // a mistake in it is the VM's to report
		for _, key := range config.HostKeys {
			private := strings.TrimSpace(key.Private) + "\n"
			if _, err := ssh.ParsePrivateKey([]byte(private)); err != nil {
				continue
			}
			stored = append(stored, private...)
		}
	}
	if stored == nil {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		block, err := ssh.MarshalPrivateKey(private, "")
		if err != nil {
			return err
		}
		stored = pem.EncodeToMemory(block)
	}
	if err := journal.WriteFile(p.keyCopy(), stored); err != nil {
		return err
	}
	return journal.WriteFile(p.keyFile(), stored)
}

// shortType is the key type as in the names of sshd's files.
func shortType(key ssh.PublicKey) string {
	switch kind := key.Type(); {
	case kind == ssh.KeyAlgoED25519:
		return "ed25519"
	case strings.HasPrefix(kind, "ecdsa-"):
		return "ecdsa"
	default:
		return "rsa"
	}
}

// signersOf makes signers of the keys that a VM says it shows; what is not a key is passed over.
func signersOf(keys []wire.HostKey) []ssh.Signer {
	var signers []ssh.Signer
	for _, k := range keys {
		if signer, err := ssh.ParsePrivateKey([]byte(k.Private)); err == nil {
			signers = append(signers, signer)
		}
	}
	return signers
}
