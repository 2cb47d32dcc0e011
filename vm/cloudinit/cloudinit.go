// Package cloudinit writes the document that a new VM reads at its first boot: its host key, the tools to install, the
// operator's own cloud-init file, and a startup script. It also reads the VM's record of the installation of tools.
// The document is sent as custom data, which Azure never returns and only root on the VM can read, because it holds the VM's
// private host key.
package cloudinit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/errkind"
)

// MaxSize is Azure's limit for custom data in bytes, before base64.
const MaxSize = 64<<10 - 1

// Config is what a VM does at its first boot. The zero value installs all tools.
type Config struct {
	HostKeyPrivate string // OpenSSH PEM of an ed25519 key; empty: the VM creates its own
	HostKeyPublic  string // its public half, in authorized_keys format

	User          string   // the login user, for whom the tools are set up; empty: "azureuser"
	Tools         []string // names of Tools; nil: all of them; empty: none
	StartupScript string   // runs last, once, as root; without a #! line, sh runs it; empty: none
	Extra         []byte   // the operator's own file: #cloud-config or a script; empty: none
}

// document mirrors the cloud-config keys that azlin uses.
type document struct {
	SSHDeleteKeys *bool    `yaml:"ssh_deletekeys,omitempty"`
	SSHKeys       *sshKeys `yaml:"ssh_keys,omitempty"`
	WriteFiles    []file   `yaml:"write_files,omitempty"`
}

type sshKeys struct {
	Private string `yaml:"ed25519_private"`
	Public  string `yaml:"ed25519_public"`
}

type file struct {
	Path        string `yaml:"path"`
	Permissions string `yaml:"permissions"`
	Append      bool   `yaml:"append,omitempty"`
	Encoding    string `yaml:"encoding,omitempty"`
	Content     string `yaml:"content"`
}

// Render returns the document, before base64: one #cloud-config, or a MIME multipart of it and scripts. The scripts are
// parts of their own rather than entries of runcmd, so that merging the operator's file cannot remove them.
func Render(c Config) ([]byte, error) {
	if (c.HostKeyPrivate == "") != (c.HostKeyPublic == "") {
		return nil, errkind.New(errkind.Invalid, "cloud-init: a host key has two halves, only one was given")
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	tools, err := SelectTools(c.Tools)
	if err != nil {
		return nil, err
	}
	own, err := c.ownPart(tools)
	if err != nil {
		return nil, err
	}
	parts := []part{own}
	if len(tools) > 0 || c.StartupScript != "" {
		script, err := installScript(cmp.Or(c.User, "azureuser"), tools, c.StartupScript != "")
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{kind: typePerBoot, name: "azlin-tools", content: script})
	}
	if len(c.Extra) > 0 {
		parts = append(parts, c.extraPart())
	}
	if c.StartupScript != "" {
		// Scripts run in the order of their names; the operator's runcmd runs as "runcmd".
		parts = append(parts, part{kind: typeScript, name: "zz-azlin-startup", content: []byte(startupRunner)})
	}
	out := own.content
	if len(parts) > 1 {
		if out, err = multipart(parts); err != nil {
			return nil, err
		}
	}
	if len(out) > MaxSize {
		return nil, errkind.New(errkind.Invalid,
			"cloud-init: the document has %d bytes, %d of them from the cloud-init file and %d from the startup script; Azure takes %d",
			len(out), len(c.Extra), len(c.StartupScript), MaxSize)
	}
	return out, nil
}

// ownPart is azlin's cloud-config.
func (c Config) ownPart(tools []Tool) (part, error) {
	var doc document
	if c.HostKeyPrivate != "" {
		remove := true // delete the image's host keys, in case it contains any
		doc.SSHDeleteKeys = &remove
		doc.SSHKeys = &sshKeys{Private: c.HostKeyPrivate, Public: c.HostKeyPublic}
	}
	if len(tools) > 0 {
		doc.WriteFiles = append(doc.WriteFiles,
			file{Path: "/etc/tmux.conf", Permissions: "0644", Append: true, Content: tmuxConfig},
			file{Path: "/run/azlin/tools", Permissions: "0644", Content: "tools: waiting "})
	}
	if c.StartupScript != "" {
		doc.WriteFiles = append(doc.WriteFiles, scriptFile("/var/lib/azlin/startup-script", c.StartupScript))
	}
	var b bytes.Buffer
	b.WriteString("#cloud-config\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		return part{}, fmt.Errorf("cloud-init: %w", err)
	}
	return part{kind: typeConfig, name: "azlin.yaml", content: b.Bytes()}, nil
}
