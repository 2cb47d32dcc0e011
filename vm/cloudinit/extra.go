package cloudinit

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/errkind"
)

// reserved are the cloud-config keys that azlin's own part depends on, each with the reason.
var reserved = map[string]string{
	"ssh_keys":       "azlin makes the host key, so that it is known before the VM exists",
	"ssh_deletekeys": "azlin makes the host key, so that it is known before the VM exists",
	"merge_how":      "azlin merges the file itself: its lists are added to azlin's",
	"merge_type":     "azlin merges the file itself: its lists are added to azlin's",
}

var userName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`)

// Validate checks the document before anything is sent: the names of tools, the startup script, and the operator's file,
// which must be #cloud-config or a script. All errors are Invalid.
func (c Config) Validate() error {
	if c.User != "" && !userName.MatchString(c.User) {
		return errkind.New(errkind.Invalid, "cloud-init: %q is not a login name", c.User)
	}
	if _, err := SelectTools(c.Tools); err != nil {
		return err
	}
	if strings.ContainsRune(c.StartupScript, 0) {
		return errkind.New(errkind.Invalid, "startup script: it holds a NUL byte; a script is text")
	}
	if c.StartupScript != "" && strings.TrimSpace(c.StartupScript) == "" {
		return errkind.New(errkind.Invalid, "startup script: it is empty")
	}
	if n := len(c.Extra) + len(c.StartupScript); n > MaxSize {
		return errkind.New(errkind.Invalid, "cloud-init: the cloud-init file and the startup script have %d bytes; Azure takes %d in all", n, MaxSize)
	}
	return validateExtra(c.Extra)
}

func validateExtra(data []byte) error {
	switch {
	case len(data) == 0:
		return nil
	case !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0:
		return errkind.New(errkind.Invalid, "cloud-init file: it is not text")
	case bytes.HasPrefix(data, []byte("#!")):
		return nil
	case !isCloudConfig(data):
		first, _, _ := strings.Cut(string(data), "\n")
		return errkind.New(errkind.Invalid, "cloud-init file: the first line must be #cloud-config, or #! and a program; it is %.60q", first)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return errkind.New(errkind.Invalid, "cloud-init file: %w", err)
	}
	if len(doc.Content) == 0 {
		return errkind.New(errkind.Invalid, "cloud-init file: there is nothing in it")
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return errkind.New(errkind.Invalid, "cloud-init file: line %d: want keys and values, such as 'packages: [htop]'", top.Line)
	}
	var seen []string
	for i := 0; i < len(top.Content); i += 2 {
		key := top.Content[i]
		if why, ok := reserved[key.Value]; ok {
			return errkind.New(errkind.Invalid, "cloud-init file: line %d: %s cannot be set: %s", key.Line, key.Value, why)
		}
		if slices.Contains(seen, key.Value) {
			return errkind.New(errkind.Invalid, "cloud-init file: line %d: %s is there twice", key.Line, key.Value)
		}
		seen = append(seen, key.Value)
	}
	var decoded map[string]any
	if err := doc.Decode(&decoded); err != nil { // an alias without an anchor, or to itself
		return errkind.New(errkind.Invalid, "cloud-init file: %w", err)
	}
	for key, why := range reserved { // through a YAML merge key
		if _, ok := decoded[key]; ok {
			return errkind.New(errkind.Invalid, "cloud-init file: %s cannot be set: %s", key, why)
		}
	}
	return nil
}

// isCloudConfig follows cloud-init: the first line holds the word and nothing else.
func isCloudConfig(data []byte) bool {
	first, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimRight(first, " \t\r") == "#cloud-config"
}

// extraPart is the operator's file as a part of its own.
func (c Config) extraPart() part {
	if bytes.HasPrefix(c.Extra, []byte("#!")) {
		return part{kind: typeScript, name: "operator-script", content: c.Extra}
	}
	return part{kind: typeConfig, name: "operator.yaml", merge: addToOurs, content: c.Extra}
}
