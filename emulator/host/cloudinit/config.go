// Package cloudinit reads the part of cloud-init's user data that an emulated VM acts on. It only parses: the
// agent inside the VM does what the result says. Keys it does not know are listed, not refused, as cloud-init
// does.
package cloudinit

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the size in bytes that user data may have once it is unpacked.
const MaxSize = 4 << 20

// ErrTooLarge is returned for user data that unpacks to more than MaxSize.
var ErrTooLarge = errors.New("user data too large")

// Config is what the user data asks for. Its zero value is a VM without user data.
type Config struct {
	Users          []User
	DefaultUser    bool     // the image's default user (on Azure: the admin user) is wanted
	AuthorizedKeys []string // for the default user
	HostKeys       []HostKey
	KeepHostKeys   bool // ssh_deletekeys: false
	Files          []File
	Packages       []string
	PackageUpdate  bool
	PackageUpgrade bool
	Boot           []Command    // at every boot, early
	Run            []Command    // once, last
	Scripts        []ScriptFile // run once with Run, in the order of their names
	PerBoot        []ScriptFile // before those, at every boot
	PerInstance    []ScriptFile // before those, once
	Boothooks      []ScriptFile // early, at every boot
	Groups         []string     // to make
	Hostname       string
	Timezone       string
	FinalMessage   string
	Unknown        []string // keys that were not understood, with their path
	Warnings       []string // parts that were left out

	merged *yaml.Node // the #cloud-config documents so far
	parts  int
}

// ScriptFile is a program of the user data.
type ScriptFile struct {
	Name    string // of its file
	Content string
}

// User is an entry of users.
type User struct {
	Name           string
	Comment        string
	Home           string // empty: /home/NAME
	Shell          string // empty: /bin/bash
	Groups         []string
	Sudo           []string // sudoers rules; none: no sudo
	AuthorizedKeys []string
}

// HostKey is one of the SSH host keys of ssh_keys.
type HostKey struct {
	Type    string // ed25519, ecdsa, rsa
	Private string // PEM
	Public  string // may be empty
}

// File is an entry of write_files, decoded.
type File struct {
	Path    string
	Content []byte
	Mode    uint32 // 0o644 unless given
	Owner   string
	Append  bool
	Defer   bool // after users and packages
}

// Command is an entry of runcmd or bootcmd: a line for the shell, or arguments.
type Command struct {
	Line string
	Argv []string
}

// Script renders commands as cloud-init does, as one shell script.
func Script(commands []Command) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, c := range commands {
		if c.Argv == nil {
			b.WriteString(c.Line + "\n")
			continue
		}
		quoted := make([]string, len(c.Argv))
		for i, a := range c.Argv {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		b.WriteString(strings.Join(quoted, " ") + "\n")
	}
	return b.String()
}

var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

// ValidUserName reports whether name is one that useradd takes.
func ValidUserName(name string) bool { return userName.MatchString(name) }

// Parse reads user data: empty, #cloud-config, a #! script, a MIME multipart of these, or any of it gzipped.
// It fails for data it can make nothing of; what is merely unknown is listed in the result.
func Parse(data []byte) (*Config, error) {
	c := &Config{DefaultUser: true}
	if err := c.part(data, partHeader{}, 0); err != nil {
		return nil, err
	}
	if c.merged != nil {
		c.keys(c.merged)
		c.merged = nil
	}
	c.parts = 0
	return c, nil
}

// partHeader is what a multipart says of a part; its zero value says nothing.
type partHeader struct{ kind, name, merge string }

// maxDepth is how deep multiparts may be nested.
const maxDepth = 4

func (c *Config) part(data []byte, header partHeader, depth int) error {
	data, err := unpack(data)
	if err != nil {
		return err
	}
	head := strings.TrimLeft(string(data[:min(len(data), 256)]), " \t\r\n")
	line, _, _ := strings.Cut(head, "\n")
	switch {
	case head == "":
		return nil
	case strings.HasPrefix(head, "#cloud-config-archive"), strings.HasPrefix(head, "## template:"):
		c.Warnings = append(c.Warnings, fmt.Sprintf("user data of kind %q is not emulated", strings.TrimSpace(line)))
		return nil
	case header.kind == "text/x-shellscript-per-boot":
		c.PerBoot = append(c.PerBoot, c.script(header, data))
		return nil
	case header.kind == "text/x-shellscript-per-instance", header.kind == "text/x-shellscript-per-once":
		c.PerInstance = append(c.PerInstance, c.script(header, data))
		return nil
	case strings.HasPrefix(head, "#cloud-boothook"), header.kind == "text/cloud-boothook":
		hook := c.script(header, data)
		hook.Content = strings.TrimPrefix(strings.TrimLeft(hook.Content, " \t\r\n"), "#cloud-boothook\n")
		c.Boothooks = append(c.Boothooks, hook)
		return nil
	case strings.HasPrefix(head, "#cloud-config"), header.kind == "text/cloud-config":
		return c.yaml(data, header)
	case strings.HasPrefix(head, "#!"), header.kind == "text/x-shellscript":
		c.Scripts = append(c.Scripts, c.script(header, data))
		return nil
	case isMultipart(head):
		if depth == maxDepth {
			return errors.New("user data: multiparts nested too deeply")
		}
		return c.multipart(data, depth)
	}
	c.Warnings = append(c.Warnings, fmt.Sprintf("unhandled non-multipart user data starting with %.20q", line))
	return nil
}

// script names a part as cloud-init does: by its file name, else by its number.
func (c *Config) script(header partHeader, data []byte) ScriptFile {
	c.parts++
	name := strings.Map(func(r rune) rune {
		if r == '/' || r < ' ' {
			return '_'
		}
		return r
	}, header.name)
	if name == "" || name == "." || name == ".." {
		name = fmt.Sprintf("part-%03d", c.parts)
	}
	return ScriptFile{Name: name, Content: strings.ReplaceAll(string(data), "\r\n", "\n")}
}

// unpack undoes gzip.
func unpack(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		if len(data) > MaxSize {
			return nil, ErrTooLarge
		}
		return data, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("unpack user data: %w", err)
	}
	defer z.Close()
	plain, err := io.ReadAll(io.LimitReader(z, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("unpack user data: %w", err)
	}
	if len(plain) > MaxSize {
		return nil, ErrTooLarge
	}
	return plain, nil
}
