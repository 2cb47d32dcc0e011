package remote

import (
	"context"
	"errors"
	"net"
	"strconv"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
)

// ScanHostKey connects to h, reads the key that the machine shows, and disconnects before anything is
// sent to it. Nothing proves that the machine is the right one: whoever calls this has decided to trust
// the network once.
func ScanHostKey(ctx context.Context, h Host) (ssh.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	addr := net.JoinHostPort(h.Address, strconv.Itoa(h.port()))
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, h.failure(errkind.Unreachable, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends the handshake, which knows no context
	defer stop()
	var shown ssh.PublicKey
	enough := errors.New("the key has been read")
	_, _, _, err = ssh.NewClientConn(conn, addr, &ssh.ClientConfig{
		User:              h.user(),
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoRSASHA512},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			shown = key
			return enough
		},
	})
	if shown == nil {
		return nil, h.failure(errkind.Unreachable, err)
	}
	return shown, nil
}
