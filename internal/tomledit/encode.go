package tomledit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errNotUTF8 = errors.New("the text is not UTF-8")

// encode writes a value as TOML, and returns it as go-toml decodes it.
func encode(value any) (text string, decoded any, err error) {
	switch v := value.(type) {
	case string:
		text, err = encodeString(v)
		return text, v, err
	case bool:
		return strconv.FormatBool(v), v, nil
	case int64:
		return strconv.FormatInt(v, 10), v, nil
	case []string:
		parts, read := make([]string, len(v)), make([]any, len(v))
		for i, s := range v {
			if parts[i], err = encodeString(s); err != nil {
				return "", nil, err
			}
			read[i] = s
		}
		return "[" + strings.Join(parts, ", ") + "]", read, nil
	}
	return "", nil, fmt.Errorf("a value of type %T cannot be written", value)
}

// encodeString writes a basic string.
func encodeString(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errNotUTF8
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String(), nil
}

// encodeKey writes one part of a key, bare where that is allowed.
func encodeKey(part string) (string, error) {
	bare := part != ""
	for _, r := range part {
		bare = bare && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}
	if bare {
		return part, nil
	}
	return encodeString(part)
}

func encodePath(path []string) (string, error) {
	parts := make([]string, len(path))
	for i, part := range path {
		var err error
		if parts[i], err = encodeKey(part); err != nil {
			return "", err
		}
	}
	return strings.Join(parts, "."), nil
}
