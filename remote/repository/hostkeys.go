package repository

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/azlin-dev/azlin/errkind"
)

// forges are the host keys that the big forges publish.
//
//go:embed forges.known_hosts
var forges string

// hostKeys returns the known_hosts lines with which the VM verifies the server of an SSH URL: the built-in ones, else those
// that the operator's ssh has accepted.
func (r *Repository) hostKeys(a Access) (string, error) {
	host, port := r.server()
	if port == "22" {
		var known strings.Builder
		for line := range strings.Lines(forges) {
			if strings.HasPrefix(line, strings.ToLower(host)+" ") {
				known.WriteString(line)
			}
		}
		if known.Len() > 0 {
			return known.String(), nil
		}
	}
	keys, err := knownTo(a.KnownHosts, net.JoinHostPort(host, port))
	if err != nil {
		return "", err
	}
	if len(keys) == 0 {
		again := "ssh -T " + host
		if port != "22" {
			again += " -p " + port
		}
		return "", &errkind.Error{
			Kind: errkind.Prerequisite, Op: "clone", Resource: r.URL,
			Err:  fmt.Errorf("the host key of %s is not known here, so the VM could not tell it from an impostor", host),
			Next: errkind.Step{Action: errkind.Run, Command: again},
		}
	}
	var known strings.Builder
	for _, key := range keys {
		fmt.Fprintln(&known, knownhosts.Line([]string{net.JoinHostPort(host, port)}, key))
	}
	return known.String(), nil
}

// knownTo looks up a server's keys in known_hosts files, including hashed entries. Absent files are skipped.
func knownTo(files []string, address string) ([]ssh.PublicKey, error) {
	var there []string
	for _, f := range files {
		if _, err := os.Stat(f); err == nil {
			there = append(there, f)
		}
	}
	if len(there) == 0 {
		return nil, nil
	}
	check, err := knownhosts.New(there...)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "%w; mend that line or take it out", err)
	}
	// No key matches this one, so the error lists the expected keys.
	err = check(address, &net.TCPAddr{IP: net.IPv4zero}, nobody{})
	var keys []ssh.PublicKey
	if mismatch, ok := errors.AsType[*knownhosts.KeyError](err); ok {
		for _, k := range mismatch.Want {
			keys = append(keys, k.Key)
		}
		return keys, nil
	}
	return nil, err
}

// nobody is a public key that no server has.
type nobody struct{}

func (nobody) Type() string                        { return "nobody" }
func (nobody) Marshal() []byte                     { return nil }
func (nobody) Verify([]byte, *ssh.Signature) error { return errors.New("nobody signs") }
