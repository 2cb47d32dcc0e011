package term

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Missing is what a table shows for a value that is not known.
const Missing = "-"

// Column is one column of a table of T.
type Column[T any] struct {
	Name  string         // that of the member of the data which it shows, if there is one
	Title string         // heading of a table; empty: the name
	Value func(T) string // "" is shown as Missing in a table and left empty in csv and tsv
	Color func(T) Color  // nil: none
	Wide  bool           // left out of a table that would not fit the terminal
}

// Color is how a cell is set off on a terminal that can show it.
type Color string

// The colours that tables use, as ANSI parameters.
const (
	NoColor Color = ""
	Green   Color = "32"
	Yellow  Color = "33"
	Red     Color = "31"
	Dim     Color = "2"
	Bold    Color = "1"
)

func (c Color) paint(s string, on bool) string {
	if !on || c == NoColor {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

// Grid is a table with its rows already turned into cells.
type Grid struct {
	Columns []string
	Rows    [][]string
	titles  []string
	colors  [][]Color
	wide    []bool
}

// Rows turns items into a Grid.
func Rows[T any](items []T, columns []Column[T]) Grid {
	g := Grid{}
	for _, c := range columns {
		g.Columns = append(g.Columns, c.Name)
		g.titles = append(g.titles, heading(cmp.Or(c.Title, c.Name)))
		g.wide = append(g.wide, c.Wide)
	}
	for _, item := range items {
		row := make([]string, len(columns))
		colors := make([]Color, len(columns))
		for i, c := range columns {
			row[i] = c.Value(item)
			if c.Color != nil {
				colors[i] = c.Color(item)
			}
		}
		g.Rows = append(g.Rows, row)
		g.colors = append(g.colors, colors)
	}
	return g
}

func heading(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "_", " ")) }

const columnGap = 2

// write draws the grid for a person. Columns marked Wide are dropped from the right until it fits width,
// then the longest column is cut; width 0 means no limit.
func (g Grid) write(s Streams) error {
	width, color := s.Width, s.Color
	keep := g.fit(width)
	widths := make([]int, len(g.Columns))
	for _, i := range keep {
		widths[i] = g.columnWidth(i)
	}
	shrink(widths, keep, width)
	var b strings.Builder
	for n, i := range keep {
		b.WriteString(Bold.paint(pad(Clean(g.titles[i]), widths[i], n == len(keep)-1, s.cut()), color))
	}
	b.WriteByte('\n')
	for r, row := range g.Rows {
		for n, i := range keep {
			cell := pad(shown(row[i]), widths[i], n == len(keep)-1, s.cut())
			c := NoColor
			if g.colors != nil {
				c = g.colors[r][i]
			}
			b.WriteString(c.paint(cell, color))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(s.Text(s.Out), b.String())
	return err
}

func shown(s string) string {
	if s == "" {
		return Missing
	}
	return Clean(s)
}

func (g Grid) columnWidth(i int) int {
	w := runewidth.StringWidth(Clean(g.titles[i]))
	for _, row := range g.Rows {
		w = max(w, runewidth.StringWidth(shown(row[i])))
	}
	return w
}

func (g Grid) fit(width int) []int {
	keep := make([]int, len(g.Columns))
	for i := range keep {
		keep[i] = i
	}
	if width == 0 || g.wide == nil {
		return keep
	}
	total := func() int {
		sum := 0
		for _, i := range keep {
			sum += g.columnWidth(i) + columnGap
		}
		return sum - columnGap
	}
	for last := len(g.Columns) - 1; last >= 0 && total() > width; last-- {
		if !g.wide[last] {
			continue
		}
		for n, i := range keep {
			if i == last {
				keep = append(keep[:n:n], keep[n+1:]...)
				break
			}
		}
	}
	return keep
}

// shrink takes columns from the widest one until the row fits; no column goes below eight.
func shrink(widths, keep []int, width int) {
	const least = 8
	for width > 0 {
		sum, widest := -columnGap, keep[0]
		for _, i := range keep {
			sum += widths[i] + columnGap
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if sum <= width || widths[widest] <= least {
			return
		}
		widths[widest] = max(least, widths[widest]-(sum-width))
	}
}

func pad(s string, width int, last bool, cut string) string {
	s = runewidth.Truncate(s, width, cut)
	if last {
		return s
	}
	return s + strings.Repeat(" ", width-runewidth.StringWidth(s)+columnGap)
}

// writeTSV writes raw cells for a program, without a header as az and gh do: full values, tabs and
// newlines escaped.
func (g Grid) writeTSV(w io.Writer) error {
	escape := strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)
	var b strings.Builder
	for _, row := range g.Rows {
		for i, cell := range row {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(escape.Replace(cell))
		}
		b.WriteByte('\n')
	}
	_, err := fmt.Fprint(w, b.String())
	return err
}
