package term

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// arranged is v sorted, with the columns and the members that were asked for.
func (o Output) arranged(v View) (View, error) {
	if o.SortBy == "" && o.Columns == nil && o.Fields == nil {
		return v, nil
	}
	data, err := valueOf(v.Data)
	if err != nil {
		return v, err
	}
	items := itemsOf(data, len(v.Grid.Rows))
	_, list := data.([]any)
	if list && items != nil {
		v.Grid, items = v.Grid.sorted(items, o.SortBy)
		data = items
	}
	if o.Columns != nil {
		v.Grid = v.Grid.choose(o.Columns, items)
	}
	if o.Fields != nil {
		one, single := data.(object)
		if single {
			items = []object{one}
		} else if all, ok := data.([]any); ok { // also where an item has several rows
			items = itemsOf(data, len(all))
		}
		chosen := make([]object, len(items))
		for n, i := range items {
			chosen[n] = i.only(o.Fields)
		}
		v.Grid = Grid{}.choose(o.Fields, items)
		if data = chosen; single {
			data = chosen[0]
		}
	}
	v.Data = data
	return v, nil
}

// sorted orders rows and items by a member, or by a column where no item has such a member.
func (g Grid) sorted(items []object, by string) (Grid, []object) {
	if by == "" {
		return g, items
	}
	name, down := strings.CutPrefix(by, "-")
	column := slices.Index(g.Columns, name)
	value := func(n int) any {
		if v, ok := items[n].values[name]; ok {
			return v
		}
		if column >= 0 && g.Rows[n][column] != "" {
			return g.Rows[n][column]
		}
		return nil
	}
	order := make([]int, len(items))
	for n := range order {
		order[n] = n
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := value(a), value(b)
		if down && x != nil && y != nil {
			x, y = y, x
		}
		return compareValues(x, y)
	})
	rows, colors, moved := make([][]string, len(order)), g.colors, make([]object, len(order))
	if colors != nil {
		colors = make([][]Color, len(order))
	}
	for n, from := range order {
		rows[n], moved[n] = g.Rows[from], items[from]
		if colors != nil {
			colors[n] = g.colors[from]
		}
	}
	g.Rows, g.colors = rows, colors
	return g, moved
}

// choose is the grid with these columns: its own, else members of the items.
func (g Grid) choose(names []string, items []object) Grid {
	rows := max(len(items), len(g.Rows))
	out := Grid{Columns: names, Rows: make([][]string, rows)}
	if g.colors != nil {
		out.colors = make([][]Color, rows)
	}
	for _, name := range names {
		i := slices.Index(g.Columns, name)
		title := heading(name)
		if i >= 0 && g.titles != nil {
			title = g.titles[i]
		}
		out.titles = append(out.titles, title)
		for n := range rows {
			text, color := "", NoColor
			if i >= 0 {
				if text = g.Rows[n][i]; g.colors != nil {
					color = g.colors[n][i]
				}
			} else if n < len(items) {
				text = cell(items[n].values[name])
				if raw, ok := rawCell(items[n].values[name]); ok {
					text = raw
				}
			}
			out.Rows[n] = append(out.Rows[n], text)
			if out.colors != nil {
				out.colors[n] = append(out.colors[n], color)
			}
		}
	}
	return out
}

// raw is the grid for a program: where a column shows a member of the data, the whole of it. The currency of prices is a
// column of its own, the last one.
func (v View) raw() (Grid, error) {
	data, err := valueOf(v.Data)
	if err != nil {
		return v.Grid, err
	}
	g := v.Grid
	if o, ok := data.(object); ok && slices.Equal(g.Columns, []string{"property", "value"}) {
		return g.rawProperties(o), nil
	}
	items := itemsOf(data, len(g.Rows))
	out := Grid{Columns: slices.Clone(g.Columns), Rows: make([][]string, len(g.Rows))}
	priced := slices.ContainsFunc(g.Columns, isPrice)
	if priced {
		out.Columns = append(out.Columns, "currency")
	}
	for n, row := range g.Rows {
		row, in := slices.Clone(row), ""
		for i, name := range g.Columns {
			if items == nil {
				continue
			}
			value, has := items[n].values[name]
			if text, ok := rawCell(value); has && ok {
				row[i] = text
			}
			if _, currency, ok := money(value); ok {
				in = currency
			}
		}
		if priced {
			row = append(row, in)
		}
		out.Rows[n] = row
	}
	return out, nil
}

func isPrice(column string) bool { return strings.HasPrefix(column, "price_") }

func (g Grid) rawProperties(o object) Grid {
	out := Grid{Columns: g.Columns}
	for _, row := range g.Rows {
		value, has := o.values[row[0]]
		if text, ok := rawCell(value); has && ok {
			row = []string{row[0], text}
		}
		out.Rows = append(out.Rows, row)
		if _, currency, ok := money(value); ok {
			out.Rows = append(out.Rows, []string{row[0] + "_currency", currency})
		}
	}
	return out
}

// writeNames writes what each row is called: its name, else the VM or the id, else its first cell.
func (g Grid) writeNames(w io.Writer) error {
	if slices.Equal(g.Columns, []string{"property", "value"}) && len(g.Rows) > 0 {
		_, err := fmt.Fprintln(w, Clean(g.Rows[0][1]))
		return err
	}
	at := 0
	for _, name := range []string{"name", "vm", "id"} {
		if i := slices.Index(g.Columns, name); i >= 0 {
			at = i
			break
		}
	}
	for _, row := range g.Rows {
		if _, err := fmt.Fprintln(w, Clean(row[at])); err != nil {
			return err
		}
	}
	return nil
}

// Names are the names of columns.
func Names[T any](columns []Column[T]) []string {
	names := make([]string, len(columns))
	for n, c := range columns {
		names[n] = c.Name
	}
	return names
}
