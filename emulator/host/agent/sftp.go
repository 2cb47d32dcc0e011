//go:build unix

package agent

import (
	"errors"
	"io"
	"os"

	"github.com/pkg/sftp"
)

// stdio is a session's standard streams as one connection.
type stdio struct{}

func (stdio) Read(p []byte) (int, error)  { return os.Stdin.Read(p) }
func (stdio) Write(p []byte) (int, error) { return os.Stdout.Write(p) }
func (stdio) Close() error                { return os.Stdout.Close() }

// serveSFTP is the sftp subsystem: it runs as the user, inside, in the user's home.
func serveSFTP() error {
	srv, err := sftp.NewServer(stdio{})
	if err != nil {
		return err
	}
	if err := srv.Serve(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
