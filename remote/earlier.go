package remote

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// offered is how many keys one connection offers: sshd allows six tries.
const offered = 5

// besideAgent is how many earlier keys are offered before the agent's keys.
const besideAgent = 2

// firstKeys returns h with as many earlier keys as fit in one connection, and the other keys.
func (h Host) firstKeys() (first Host, rest []string) {
	room := offered - 1
	if h.AgentSocket != "" {
		room = besideAgent
	}
	if h.Only != nil {
		room = len(h.EarlierKeys) // only one of them will be offered
	}
	room = min(room, len(h.EarlierKeys))
	first, rest = h, h.EarlierKeys[room:]
	first.EarlierKeys = h.EarlierKeys[:room]
	return first, rest
}

// withKeys is h with only these private keys.
func (h Host) withKeys(paths []string) Host {
	h.KeyPath, h.EarlierKeys, h.AgentSocket = paths[0], paths[1:], ""
	return h
}

// fitting returns h with only the keys that the VM accepts, for the system's ssh, which makes one connection. It tests them
// if there are more than one connection can offer; errors are left for ssh to report.
func (h Host) fitting(ctx context.Context) Host {
	if len(h.EarlierKeys) < offered {
		return h
	}
	c, err := Dial(ctx, h)
	if err != nil {
		return h
	}
	defer c.Close()
	return c.host
}

// identities are the key files that the system's ssh offers.
func (h Host) identities() []string {
	if h.KeyPath == "" {
		return nil
	}
	return append([]string{h.KeyPath}, h.EarlierKeys[:min(len(h.EarlierKeys), offered-1)]...)
}

// earlier reads the earlier keys. An unreadable one is skipped like an absent one.
func (h Host) earlier() []ssh.Signer {
	var signers []ssh.Signer
	for _, path := range h.EarlierKeys {
		if data, err := atomicfile.Read(path); err == nil {
			if signer, err := ssh.ParsePrivateKey(data); err == nil {
				signers = append(signers, signer)
			}
		}
	}
	return signers
}

// checkKeyMode refuses a private key that others on this machine can read, because ssh would refuse it. A key held by the
// agent is not read.
func (h Host) checkKeyMode() error {
	if runtime.GOOS == "windows" || h.KeyPath == "" || h.AgentSocket != "" {
		return nil
	}
	path := strings.TrimSuffix(h.KeyPath, ".pub")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return nil //nolint:nilerr // whoever reads it says so
	}
	return &errkind.Error{
		Kind: errkind.Prerequisite, Op: "use key", Resource: path, Class: ErrConnection,
		Err:  fmt.Errorf("other people may read it (mode %04o), so ssh does not use it", info.Mode().Perm()),
		Next: errkind.Step{Action: errkind.Run, Command: "chmod go= " + Quote(path)},
	}
}
