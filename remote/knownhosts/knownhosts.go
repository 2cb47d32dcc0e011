// Package knownhosts stores the host keys of VMs.
package knownhosts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// File is azlin's own known_hosts file, with VM ids instead of addresses as keys, because addresses are reused and VM ids
// are not. The system's ssh reads the same file (HostKeyAlias).
type File struct {
	Path string
}

// ErrHostKey is the class of failures to verify a host key.
var ErrHostKey = errors.New("host key verification failed")

// Alias is a VM's name in the file. ssh converts names to lower case before looking them up.
func Alias(vmID string) string { return "azlin-" + strings.ToLower(vmID) }

// Lookup returns the key recorded for the VM, or nil.
func (k File) Lookup(vmID string) (ssh.PublicKey, error) {
	data, err := atomicfile.Read(k.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return findHostKey(data, vmID)
}

func findHostKey(data []byte, vmID string) (ssh.PublicKey, error) {
	want := Alias(vmID)
	for len(data) > 0 {
		_, hosts, key, _, rest, err := ssh.ParseKnownHosts(data)
		if err != nil {
			if errors.Is(err, io.EOF) { // only blank and comment lines are left
				return nil, nil
			}
			return nil, fmt.Errorf("parse known hosts: %w", err)
		}
		if slices.Contains(hosts, want) {
			return key, nil
		}
		data = rest
	}
	return nil, nil
}

// Pin records the key of a VM. A VM recorded with another key is refused with ErrHostKey: only Forget allows a new key.
func (k File) Pin(ctx context.Context, vmID string, key ssh.PublicKey) error {
	return atomicfile.Update(ctx, k.Path, 0o600, func(old []byte) ([]byte, error) {
		known, err := findHostKey(old, vmID)
		if err != nil {
			return nil, err
		}
		if known != nil {
			if keypair.Same(known, key) {
				return nil, nil
			}
			return nil, changedHostKey(vmID, known, key)
		}
		line := Alias(vmID) + " " + keypair.AuthorizedKey(key) + "\n"
		if len(old) > 0 && old[len(old)-1] != '\n' {
			line = "\n" + line
		}
		return append(old, line...), nil
	})
}

// Forget removes a VM's record, for example because the VM was deleted.
func (k File) Forget(ctx context.Context, vmID string) error {
	if _, err := os.Stat(k.Path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return atomicfile.Update(ctx, k.Path, 0o600, func(old []byte) ([]byte, error) {
		var kept []string
		for line := range strings.Lines(string(old)) {
			if name, _, _ := strings.Cut(line, " "); name != Alias(vmID) {
				kept = append(kept, line)
			}
		}
		return []byte(strings.Join(kept, "")), nil
	})
}

// Identify returns the expected key of a VM: the recorded one, else the announced one from the VM's tag (empty: none), which
// is then recorded. It returns nil when neither is known, and ErrHostKey when they differ.
func (k File) Identify(ctx context.Context, vmID, announced string) (ssh.PublicKey, error) {
	known, err := k.Lookup(vmID)
	if err != nil {
		return nil, err
	}
	if announced == "" {
		return known, nil
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(announced))
	if err != nil {
		if known != nil {
			return known, nil
		}
		return nil, &errkind.Error{
			Kind: errkind.HostKey, Op: "read host key of", Resource: vmID, Class: ErrHostKey,
			Err: fmt.Errorf("the announced key cannot be parsed: %w", err),
		}
	}
	if known == nil {
		return key, k.Pin(ctx, vmID, key)
	}
	if !keypair.Same(known, key) {
		return nil, changedHostKey(vmID, known, key)
	}
	return known, nil
}

func changedHostKey(vmID string, known, now ssh.PublicKey) error {
	return &errkind.Error{
		Kind: errkind.HostKey, Op: "verify host key of", Resource: vmID, Class: ErrHostKey,
		Err: fmt.Errorf("recorded %s, but found %s; someone may be impersonating this VM",
			ssh.FingerprintSHA256(known), ssh.FingerprintSHA256(now)),
	}
}
