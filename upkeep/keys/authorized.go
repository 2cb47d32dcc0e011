package keys

import (
	"bytes"
	"strings"

	"golang.org/x/crypto/ssh"
)

// entry is one line of an authorized_keys file.
type entry struct {
	line    string   // with its end
	key     []byte   // in wire format; nil: a comment, a blank line, or what nobody understands
	options []string // in front of the key, as written
	comment string
	ca      bool // the key signs certificates; it lets nobody in itself
}

// parseAuthorized takes an authorized_keys file apart. The lines put together are the file, byte for byte.
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

// holds reports whether the line lets key in.
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

// lets reports whether a file lets key in.
func lets(content []byte, key ssh.PublicKey) bool {
	for _, e := range parseAuthorized(content) {
		if e.holds(key) {
			return true
		}
	}
	return false
}

// add gives whoever holds next the rights of old: after each line of old comes one with the same options and the
// line next (a key and its comment). Where old has no line, next comes at the end. Every other byte stays. A file
// that lets next in is left as it is.
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

// remove takes the lines of a key away. Every other byte stays.
func remove(content []byte, key ssh.PublicKey) []byte {
	var out []entry
	for _, e := range parseAuthorized(content) {
		if !e.holds(key) {
			out = append(out, e)
		}
	}
	return join(out)
}
