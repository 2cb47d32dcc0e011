package term

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/errkind"
)

// Format is a form of output.
type Format string

// The forms of output. Table and Wide are for people, Wide with all columns; the others are stable.
const (
	Table Format = "table"
	Wide  Format = "wide"
	JSON  Format = "json"
	YAML  Format = "yaml"
	CSV   Format = "csv"
	TSV   Format = "tsv"
	Name  Format = "name" // one name a line
)

// Formats lists what -o takes.
func Formats() []string {
	return []string{string(Table), string(Wide), string(JSON), string(YAML), string(CSV), string(TSV), string(Name)}
}

// ParseFormat checks the value of -o.
func ParseFormat(s string) (Format, error) {
	if slices.Contains(Formats(), s) {
		return Format(s), nil
	}
	return "", errkind.New(errkind.Invalid, "output format %q: use one of %s", s, strings.Join(Formats(), ", "))
}

// View is one result in both its shapes: Data for json and yaml (and queries), Grid for the others. In csv and tsv a column
// that has the name of a member of Data shows that, whole.
type View struct {
	Data any
	Grid Grid
	Note string // shown under a table on standard error, never part of the data
}

// Output writes results the way the person asked for them.
type Output struct {
	Streams Streams
	Format  Format
	Query   string // JMESPath, as az takes it
	JQ      string // jq, as gh takes it

	Fields  []string               // members that the data has, of those it would have; nil: all
	Columns []string               // columns of the table, by name; nil: the usual ones
	Pager   func(text string) bool // shows what is longer than the terminal; false: it did not. Nil: there is none
	SortBy  string                 // member or column to sort by; a - before it: the largest first
}

// Structured reports whether a program reads the output, so that errors should be structured too.
func (o Output) Structured() bool {
	return o.Format == JSON || o.Format == YAML || o.JQ != "" || o.Fields != nil && o.table()
}

// ForPeople reports whether a person reads what is printed as it is: a table, and no query or choice of fields.
func (o Output) ForPeople() bool {
	return o.table() && o.Query == "" && o.JQ == "" && o.Fields == nil && o.Columns == nil
}

// Heading separates what is printed of the n-th of several things by its name.
func (o Output) Heading(n int, name string) error {
	before := ""
	if n > 0 {
		before = "\n"
	}
	_, err := fmt.Fprintf(o.Streams.Text(o.Streams.Out), "%s==> %s <==\n", before, Clean(name))
	return err
}

func (o Output) table() bool { return o.Format == Table || o.Format == Wide }

// Print writes v to standard output.
func (o Output) Print(v View) error {
	if list := reflect.ValueOf(v.Data); list.Kind() == reflect.Slice && list.IsNil() {
		v.Data = []any{} // [] in JSON
	}
	v, err := o.arranged(v)
	if err != nil {
		return err
	}
	if o.JQ != "" {
		return o.printJQ(v.Data)
	}
	if o.Query != "" {
		selected, err := selectJMESPath(o.Query, v.Data)
		if err != nil {
			return err
		}
		v = viewOf(selected)
	}
	out := o.Streams.Out
	switch {
	case o.Format == JSON, o.Fields != nil && o.table() && o.Query == "":
		return o.paged(func(w io.Writer) error { return writeJSON(w, v.Data) })
	case o.Format == YAML:
		return o.paged(func(w io.Writer) error { return writeYAML(w, v.Data) })
	case o.table():
		return o.printTable(v)
	}
	if o.Query != "" && v.Note != "" { // it selects nothing
		if _, err := fmt.Fprintln(o.Streams.Text(o.Streams.Err), v.Note); err != nil {
			return err
		}
	}
	if o.Query == "" { // whose result is raw
		if v.Grid, err = v.raw(); err != nil {
			return err
		}
	}
	switch o.Format {
	case CSV:
		return v.Grid.writeCSV(out)
	case Name:
		return v.Grid.writeNames(out)
	}
	return v.Grid.writeTSV(out)
}

// paged writes to standard output, by way of the pager if there is one.
func (o Output) paged(write func(io.Writer) error) error {
	if o.Pager == nil {
		return write(o.Streams.Out)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if o.Pager(b.String()) {
		return nil
	}
	_, err := o.Streams.Out.Write(b.Bytes())
	return err
}

func (o Output) printTable(v View) error {
	if len(v.Grid.Rows) > 0 {
		if o.Format == Wide {
			v.Grid.wide = nil
			o.Streams.Width = 0
		}
		err := o.paged(func(w io.Writer) error {
			s := o.Streams
			s.Out = w
			return v.Grid.write(s)
		})
		if err != nil {
			return err
		}
	}
	if v.Note != "" {
		_, err := fmt.Fprintln(o.Streams.Text(o.Streams.Err), v.Note)
		return err
	}
	return nil
}

func writeJSON(w io.Writer, data any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(data)
}

// writeYAML goes through JSON, so that both have the same names in the same order.
func writeYAML(w io.Writer, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(raw, &node); err != nil {
		return err
	}
	blockStyle(&node)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// blockStyle takes JSON's brackets and quotes away; the encoder puts quotes back where a string would be
// read as something else.
func blockStyle(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		blockStyle(child)
	}
}

func (g Grid) writeCSV(w io.Writer) error {
	cw := csv.NewWriter(w)
	for _, row := range append([][]string{g.Columns}, g.Rows...) {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = defuse(cell)
		}
		if err := cw.Write(safe); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}

// defuse keeps a spreadsheet from running a cell as a formula.
func defuse(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}
