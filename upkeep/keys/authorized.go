package keys

import (
	"bytes"
	"strings"

	"golang.org/x/crypto/ssh"
)

// entry is one line of an authorized_keys file.
type entry struct {
	line    string   // with its line ending
	key     []byte   // in wire format; nil: a comment, a blank line, or an unknown format
	options []string // before the key, as written
	comment string
	ca      bool // the key signs certificates; it cannot sign in itself
}

// parseAuthorized splits an authorized_keys file. The lines joined are the file, byte for byte.
func parseAuthorized(content []byte) []entry {
	var all []entry
	for line := range strings.Lines(string(content)) {
		e := entry{line: line}
		if key, comment, options, _, err := ssh.ParseAuthorizedKey([]byte(line)); err == nil {
			e.key, e.comment, e.options = key.Marshal(), comment, options
			for _, o := range options {
				e.ca = e.ca || strings.EqualFold(o, "cert-authority")
			}
		}
		all = append(all, e)
	}
	return all
}

// holds reports whether the line allows key to sign in.
func (e entry) holds(key ssh.PublicKey) bool {
	return e.key != nil && !e.ca && bytes.Equal(e.key, key.Marshal())
}

func join(all []entry) []byte {
	var b bytes.Buffer
	for _, e := range all {
		b.WriteString(e.line)
	}
	return b.Bytes()
}

// lets reports whether a file allows key to sign in.
func lets(content []byte, key ssh.PublicKey) bool {
	for _, e := range parseAuthorized(content) {
		if e.holds(key) {
			return true
		}
	}
	return false
}

// add gives the next key the rights of old: after each line of old it adds a line with the same options and next (a key and
// its comment). Without a line of old, next is appended. All other bytes stay unchanged, and so does a file that already
// allows next.
func add(content []byte, old ssh.PublicKey, next ssh.PublicKey, line string) []byte {
	if lets(content, next) {
		return content
	}
	line = strings.TrimSpace(line) + "\n"
	var out []entry
	added := false
	for _, e := range parseAuthorized(content) {
		out = append(out, e)
		if old == nil || !e.holds(old) {
			continue
		}
		end := &out[len(out)-1]
		if !strings.HasSuffix(end.line, "\n") {
			end.line += "\n"
		}
		options := ""
		if len(e.options) > 0 {
			options = strings.Join(e.options, ",") + " "
		}
		out = append(out, entry{line: options + line})
		added = true
	}
	if !added {
		if n := len(out); n > 0 && !strings.HasSuffix(out[n-1].line, "\n") {
			out[n-1].line += "\n"
		}
		out = append(out, entry{line: line})
	}
	return join(out)
}

// remove removes the lines of a key. All other bytes stay unchanged.
func remove(content []byte, key ssh.PublicKey) []byte {
	var out []entry
	for _, e := range parseAuthorized(content) {
		if !e.holds(key) {
			out = append(out, e)
		}
	}
	return join(out)
}
