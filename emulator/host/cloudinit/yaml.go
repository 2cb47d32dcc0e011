package cloudinit

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yaml adds one #cloud-config document to those before it.
func (c *Config) yaml(data []byte, header partHeader) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("user data: %w", err)
	}
	if len(doc.Content) == 0 {
		return nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return fmt.Errorf("user data: line %d: a mapping is wanted", top.Line)
	}
	c.parts++
	how, err := mergersOf(top)
	switch {
	case err != nil:
		c.Warnings = append(c.Warnings, err.Error())
		return nil
	case how == nil && header.merge != "":
		how = parseMergers(header.merge)
	case how == nil:
		how = parseMergers(defaultMergers)
	}
	if c.merged == nil {
		c.merged = top
		return nil
	}
	c.merged = how.merge(c.merged, top)
	return nil
}

// keys decodes each key by itself, so that a mistake in one leaves the others in force, as in cloud-init's
// modules.
func (c *Config) keys(top *yaml.Node) {
	var doc map[string]yaml.Node
	if err := top.Decode(&doc); err != nil {
		c.Warnings = append(c.Warnings, err.Error())
		return
	}
	for _, key := range sortedKeys(doc) {
		node := doc[key]
		if err := c.key(key, &node); err != nil {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: %v", key, err))
		}
	}
}

func (c *Config) key(key string, node *yaml.Node) error {
	switch key {
	case "users":
		return c.users(node)
	case "ssh_authorized_keys":
		return node.Decode(&c.AuthorizedKeys)
	case "ssh_keys":
		return c.hostKeys(node)
	case "ssh_deletekeys":
		remove := true
		err := node.Decode(&remove)
		c.KeepHostKeys = !remove
		return err
	case "write_files":
		return c.files(node)
	case "packages":
		return c.packages(node)
	case "package_update", "apt_update":
		return node.Decode(&c.PackageUpdate)
	case "package_upgrade", "apt_upgrade":
		return node.Decode(&c.PackageUpgrade)
	case "bootcmd":
		return commands(node, &c.Boot)
	case "runcmd":
		return commands(node, &c.Run)
	case "hostname":
		return node.Decode(&c.Hostname)
	case "timezone":
		return node.Decode(&c.Timezone)
	case "final_message":
		return node.Decode(&c.FinalMessage)
	case "groups":
		return c.groups(node)
	case "apt":
		return c.apt(node)
	case "merge_how", "merge_type", "ssh_pwauth", "disable_root", "preserve_hostname", "manage_etc_hosts", "locale":
		return nil // it is so, or nothing could show that it is not
	}
	c.Unknown = append(c.Unknown, key)
	return nil
}

// users replaces the default user unless the list names it.
func (c *Config) users(node *yaml.Node) error {
	if node.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: a list is wanted", node.Line)
	}
	c.DefaultUser = false
	for i, entry := range node.Content {
		if entry.Kind == yaml.ScalarNode {
			if entry.Value == "default" {
				c.DefaultUser = true
				continue
			}
			if entry.Value == "" {
				return fmt.Errorf("line %d: a user without a name", entry.Line)
			}
			c.Users = append(c.Users, User{Name: entry.Value})
			continue
		}
		u, unknown, err := decodeUser(entry)
		if err != nil {
			return err
		}
		for _, key := range unknown {
			c.Unknown = append(c.Unknown, fmt.Sprintf("users[%d].%s", i, key))
		}
		c.Users = append(c.Users, u)
	}
	return nil
}

func decodeUser(node *yaml.Node) (u User, unknown []string, err error) {
	var fields map[string]yaml.Node
	if err := node.Decode(&fields); err != nil {
		return u, nil, err
	}
	for _, key := range sortedKeys(fields) {
		value := fields[key]
		switch key {
		case "name":
			err = value.Decode(&u.Name)
		case "gecos":
			err = value.Decode(&u.Comment)
		case "homedir":
			err = value.Decode(&u.Home)
		case "shell":
			err = value.Decode(&u.Shell)
		case "groups", "primary_group":
			var names []string
			names, err = words(&value)
			u.Groups = append(u.Groups, names...)
		case "sudo":
			u.Sudo, err = rules(&value)
		case "ssh_authorized_keys", "ssh-authorized-keys":
			err = value.Decode(&u.AuthorizedKeys)
		case "lock_passwd", "lock-passwd":
			// Passwords never let anybody in.
		default:
			unknown = append(unknown, key)
		}
		if err != nil {
			return u, nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	if u.Name == "" {
		return u, nil, fmt.Errorf("line %d: a user without a name", node.Line)
	}
	return u, unknown, nil
}

// groups takes names, or one key with its members each, who are not looked at.
func (c *Config) groups(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		names, err := words(node)
		c.Groups = append(c.Groups, names...)
		return err
	}
	for _, entry := range node.Content {
		if entry.Kind == yaml.MappingNode && len(entry.Content) > 0 {
			entry = entry.Content[0]
		}
		c.Groups = append(c.Groups, entry.Value)
	}
	return nil
}

// words reads a list, or a string with commas.
func words(node *yaml.Node) ([]string, error) {
	if node.Kind == yaml.SequenceNode {
		var list []string
		err := node.Decode(&list)
		return list, err
	}
	var list []string
	for word := range strings.SplitSeq(node.Value, ",") {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list, nil
}

// rules reads sudo: one rule, several, or false and null for none.
func rules(node *yaml.Node) ([]string, error) {
	if node.Kind == yaml.SequenceNode {
		var list []string
		err := node.Decode(&list)
		return list, err
	}
	if node.Tag == "!!bool" || node.Tag == "!!null" || node.Value == "" {
		return nil, nil
	}
	return []string{node.Value}, nil
}

func (c *Config) hostKeys(node *yaml.Node) error {
	var fields map[string]string
	if err := node.Decode(&fields); err != nil {
		return err
	}
	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		if private := fields[kind+"_private"]; private != "" {
			c.HostKeys = append(c.HostKeys, HostKey{
				Type: kind, Private: private, Public: strings.TrimSpace(fields[kind+"_public"]),
			})
		}
		delete(fields, kind+"_private")
		delete(fields, kind+"_public")
	}
	for _, key := range sortedKeys(fields) {
		c.Unknown = append(c.Unknown, "ssh_keys."+key)
	}
	return nil
}

func (c *Config) files(node *yaml.Node) error {
	var entries []struct {
		Path, Content, Encoding, Owner string
		Permissions                    yaml.Node
		Append, Defer                  bool
	}
	if err := node.Decode(&entries); err != nil {
		return err
	}
	for _, e := range entries {
		content, err := decodeContent(e.Content, e.Encoding)
		if err != nil || e.Path == "" {
			c.Warnings = append(c.Warnings, fmt.Sprintf("write_files: %q left out: %v", e.Path, err))
			continue
		}
		f := File{Path: e.Path, Content: content, Mode: 0o644, Owner: e.Owner, Append: e.Append, Defer: e.Defer}
		// '0644' and 0644 both mean octal; YAML 1.2's 0o644 is a number already.
		if text := strings.TrimPrefix(e.Permissions.Value, "0o"); text != "" {
			mode, err := strconv.ParseUint(text, 8, 12)
			if err != nil {
				c.Warnings = append(c.Warnings, fmt.Sprintf("write_files: %s: permissions %q", e.Path, text))
			} else {
				f.Mode = uint32(mode)
			}
		}
		c.Files = append(c.Files, f)
	}
	return nil
}

func decodeContent(content, encoding string) ([]byte, error) {
	data := []byte(content)
	var zipped bool
	switch strings.ToLower(encoding) {
	case "", "text/plain":
		return data, nil
	case "b64", "base64":
	case "gz", "gzip":
		return unpack(data)
	case "gz+b64", "gzip+b64", "gz+base64", "gzip+base64":
		zipped = true
	default:
		return data, nil // cloud-init takes an unknown encoding as plain text
	}
	plain, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content), ""))
	if err != nil || !zipped {
		return plain, err
	}
	return unpack(plain)
}

// packages takes names and [name, version] pairs.
func (c *Config) packages(node *yaml.Node) error {
	var entries []yaml.Node
	if err := node.Decode(&entries); err != nil {
		return err
	}
	for i, e := range entries {
		var pair []string
		switch {
		case e.Kind == yaml.ScalarNode:
			c.Packages = append(c.Packages, e.Value)
		case e.Kind == yaml.SequenceNode && e.Decode(&pair) == nil && len(pair) > 0:
			c.Packages = append(c.Packages, strings.Join(pair, "="))
		default:
			c.Unknown = append(c.Unknown, fmt.Sprintf("packages[%d]", i))
		}
	}
	return nil
}

func commands(node *yaml.Node, out *[]Command) error {
	var entries []yaml.Node
	if err := node.Decode(&entries); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Kind == yaml.ScalarNode {
			*out = append(*out, Command{Line: e.Value})
			continue
		}
		var argv []string
		if err := e.Decode(&argv); err != nil {
			return err
		}
		*out = append(*out, Command{Argv: argv})
	}
	return nil
}
