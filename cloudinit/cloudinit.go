// Package cloudinit writes the cloud-config document that a new VM reads at its first boot.
//
// The document travels as custom data, which Azure never shows again and which only root on the VM can
// read; it holds the VM's private host key.
package cloudinit

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/errkind"
)

// MaxSize is how much custom data Azure takes, before base64.
const MaxSize = 64<<10 - 1

// Config is what a VM is told at its first boot. The zero value tells it nothing.
type Config struct {
	HostKeyPrivate string   // OpenSSH PEM of an ed25519 key; empty: the VM makes its own
	HostKeyPublic  string   // its public half, in authorized_keys form
	Packages       []string // apt packages to install
}

// DefaultPackages are what every azlin VM has before anything else is installed.
func DefaultPackages() []string { return []string{"git", "ripgrep", "rsync", "tmux"} }

// document mirrors the cloud-config keys that azlin uses.
type document struct {
	SSHDeleteKeys *bool    `yaml:"ssh_deletekeys,omitempty"`
	SSHKeys       *sshKeys `yaml:"ssh_keys,omitempty"`
	PackageUpdate bool     `yaml:"package_update,omitempty"`
	Packages      []string `yaml:"packages,omitempty"`
}

type sshKeys struct {
	Private string `yaml:"ed25519_private"`
	Public  string `yaml:"ed25519_public"`
}

// Render returns the document, ready to be base64-encoded as custom data.
func Render(c Config) ([]byte, error) {
	var doc document
	if (c.HostKeyPrivate == "") != (c.HostKeyPublic == "") {
		return nil, errkind.New(errkind.Invalid, "cloud-init: a host key has two halves, only one was given")
	}
	if c.HostKeyPrivate != "" {
		remove := true // the image's keys, if it was baked with any
		doc.SSHDeleteKeys = &remove
		doc.SSHKeys = &sshKeys{Private: c.HostKeyPrivate, Public: c.HostKeyPublic}
	}
	doc.Packages = c.Packages
	doc.PackageUpdate = len(c.Packages) > 0
	var b bytes.Buffer
	b.WriteString("#cloud-config\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		return nil, fmt.Errorf("cloud-init: %w", err)
	}
	if b.Len() > MaxSize {
		return nil, errkind.New(errkind.Invalid, "cloud-init: the document has %d bytes; Azure takes %d", b.Len(), MaxSize)
	}
	return b.Bytes(), nil
}
