package term

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// DefaultWidth is how wide text is where the terminal does not say.
const DefaultWidth = 80

// Wrap fits prose into width columns (0: DefaultWidth). Lines of one paragraph are joined first; lines that begin with a
// space are kept as they are, because they are commands or tables. A word that is longer than a line stays whole.
func Wrap(text string, width int) string {
	if width <= 0 {
		width = DefaultWidth
	}
	var out, words []string
	flush := func() {
		line, used := "", 0
		for _, word := range words {
			w := runewidth.StringWidth(word)
			if used > 0 && used+1+w > width {
				out = append(out, line)
				line, used = "", 0
			}
			if used > 0 {
				line, used = line+" ", used+1
			}
			line, used = line+word, used+w
		}
		if used > 0 {
			out = append(out, line)
		}
		words = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case strings.TrimSpace(line) == "":
			flush()
			out = append(out, "")
		case line[0] == ' ' || line[0] == '\t':
			flush()
			out = append(out, line)
		default:
			words = append(words, strings.Fields(line)...)
		}
	}
	flush()
	return strings.Join(out, "\n")
}
