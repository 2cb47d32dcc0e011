package remote

import (
	"context"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"
)

// ScanHostKey connects to h, reads the machine's host key, and disconnects before sending anything. It does not verify the
// machine: the caller decides to trust the network once.
func ScanHostKey(ctx context.Context, h Host) (ssh.PublicKey, error) {
	var shown ssh.PublicKey
	enough := errors.New("the key has been read")
	_, err := h.retried(ctx, func() (*ssh.Client, error) {
		return h.handshake(ctx, &ssh.ClientConfig{
			User:              h.user(),
			HostKeyAlgorithms: []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoRSASHA512},
			HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
				shown = key
				return enough
			},
		}, func() {})
	})
	if shown == nil {
		return nil, err
	}
	return shown, nil
}
