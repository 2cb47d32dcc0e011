package cloudinit

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// apt turns the sources and the configuration of the key apt into the files that cloud-init makes of them. The
// emulated apt does not look at them.
func (c *Config) apt(node *yaml.Node) error {
	var fields map[string]yaml.Node
	if err := node.Decode(&fields); err != nil {
		return err
	}
	for _, key := range sortedKeys(fields) {
		value := fields[key]
		switch key {
		case "conf":
			c.Files = append(c.Files, File{Path: "/etc/apt/apt.conf.d/94cloud-init-config", Content: []byte(value.Value), Mode: 0o644})
		case "preserve_sources_list":
		case "sources":
			if err := c.aptSources(&value); err != nil {
				return err
			}
		default:
			c.Unknown = append(c.Unknown, "apt."+key)
		}
	}
	return nil
}

func (c *Config) aptSources(node *yaml.Node) error {
	var sources map[string]struct{ Source, Key, KeyID, Filename string }
	if err := node.Decode(&sources); err != nil {
		return err
	}
	for _, name := range sortedKeys(sources) {
		s := sources[name]
		file := s.Filename
		if file == "" {
			file = name
		}
		if file = strings.TrimSuffix(file, ".list"); strings.ContainsAny(file, "/\x00") || file == "" {
			c.Warnings = append(c.Warnings, fmt.Sprintf("apt: sources: %q is no file name", file))
			continue
		}
		if s.KeyID != "" {
			c.Unknown = append(c.Unknown, "apt.sources."+name+".keyid") // it would be fetched
		}
		keyring := "/etc/apt/cloud-init.gpg.d/" + file + ".gpg"
		if s.Key != "" {
			c.Files = append(c.Files, File{Path: keyring, Content: []byte(s.Key), Mode: 0o644})
		}
		if s.Source == "" {
			continue
		}
		line := strings.NewReplacer("$RELEASE", "noble", "$MIRROR", "http://azure.archive.ubuntu.com/ubuntu", "$KEY_FILE", keyring).Replace(s.Source)
		c.Files = append(c.Files, File{Path: "/etc/apt/sources.list.d/" + file + ".list", Content: []byte(line + "\n"), Mode: 0o644})
	}
	return nil
}
