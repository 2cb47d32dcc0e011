package azjson

import "bytes"

// relaxed turns what Azure takes for JSON into JSON: comments, names without quotes or in single ones, commas
// after the last member, and strings over several lines. az sends deployments so. What is no JSON in that
// sense either comes out as something that does not parse.
func relaxed(data []byte) []byte {
	var out bytes.Buffer
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == '"' || c == '\'':
			i = quoted(&out, data, i)
		case bytes.HasPrefix(data[i:], []byte("//")):
			for i < len(data) && data[i] != '\n' {
				i++
			}
		case bytes.HasPrefix(data[i:], []byte("/*")):
			end := bytes.Index(data[i+2:], []byte("*/"))
			if end < 0 {
				return data
			}
			i += end + 4
		case c == ',':
			if rest := blank(data[i+1:]); len(rest) > 0 && (rest[0] == '}' || rest[0] == ']') {
				i++
				continue
			}
			out.WriteByte(c)
			i++
		case wordStart(c):
			end := i
			for end < len(data) && (wordStart(data[end]) || '0' <= data[end] && data[end] <= '9') {
				end++
			}
			if rest := blank(data[end:]); len(rest) > 0 && rest[0] == ':' {
				out.WriteString(`"` + string(data[i:end]) + `"`)
			} else {
				out.Write(data[i:end]) // true, false, null or part of a number
			}
			i = end
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.Bytes()
}

func wordStart(c byte) bool {
	return c == '_' || c == '$' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// quoted copies the string that begins at i in double quotes, and returns where it ends.
func quoted(out *bytes.Buffer, data []byte, i int) int {
	q := data[i]
	out.WriteByte('"')
	for i++; i < len(data) && data[i] != q; i++ {
		switch c := data[i]; {
		case c == '\\' && i+1 < len(data):
			if i++; data[i] != '\'' {
				out.WriteByte(c)
			}
			out.WriteByte(data[i])
		case c == '\n':
			out.WriteString(`\n`)
		case c == '\r':
			out.WriteString(`\r`)
		case c == '\t':
			out.WriteString(`\t`)
		case c == '"':
			out.WriteString(`\"`)
		default:
			out.WriteByte(c)
		}
	}
	if i < len(data) {
		out.WriteByte('"')
		i++
	}
	return i
}

// blank leaves out white space and comments at the beginning.
func blank(data []byte) []byte {
	for {
		data = bytes.TrimLeft(data, " \t\r\n")
		switch {
		case bytes.HasPrefix(data, []byte("//")):
			_, data, _ = bytes.Cut(data, []byte("\n"))
		case bytes.HasPrefix(data, []byte("/*")):
			_, data, _ = bytes.Cut(data, []byte("*/"))
		default:
			return data
		}
	}
}
