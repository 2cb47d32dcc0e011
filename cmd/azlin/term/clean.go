package term

import (
	"strings"
	"unicode"
)

// Clean removes what a name that came from Azure or a VM could do to a terminal: control characters,
// escape sequences' introducers and bidirectional overrides become '�'.
func Clean(s string) string {
	if strings.IndexFunc(s, dangerous) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if dangerous(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

func dangerous(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
