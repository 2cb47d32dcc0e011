package term_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
)

type row struct {
	Name string   `json:"name"`
	Note string   `json:"note"`
	IP   *string  `json:"ip"`
	Tags []string `json:"tags"`
}

func view(rows ...row) term.View {
	return term.View{
		Data: map[string]any{"rows": rows},
		Grid: term.Rows(rows, []term.Column[row]{
			{Name: "name", Value: func(r row) string { return r.Name }},
			{Name: "ip", Value: func(r row) string {
				if r.IP == nil {
					return ""
				}
				return *r.IP
			}},
			{Name: "note", Value: func(r row) string { return r.Note }, Wide: true},
		}),
	}
}

func render(t *testing.T, o term.Output, v term.View) string {
	t.Helper()
	var out, talk bytes.Buffer
	o.Streams.Out, o.Streams.Err = &out, &talk
	if err := o.Print(v); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFormats(t *testing.T) {
	t.Parallel()
	rows := []row{{Name: "true", Note: "a,b"}, {Name: "tëst", Note: "=1+1"}}
	v := view(rows...)
	v.Data = rows
	for format, want := range map[term.Format]string{
		term.Table: "NAME  IP  NOTE\ntrue  -   a,b\ntëst  -   =1+1\n",
		term.TSV:   "true\t\ta,b\ntëst\t\t=1+1\n",
		term.CSV:   "name,ip,note\ntrue,,\"a,b\"\ntëst,,'=1+1\n",
		term.YAML:  "- name: \"true\"\n  note: a,b\n  ip: null\n  tags: null\n- name: tëst\n  note: =1+1\n  ip: null\n  tags: null\n",
	} {
		got := render(t, term.Output{Format: format}, v)
		if got != want {
			t.Errorf("%s:\n%q\nwant\n%q", format, got, want)
		}
	}
}

type item struct {
	Name  string            `json:"name"`
	Size  *string           `json:"size"`
	When  time.Time         `json:"created"`
	Price *priced           `json:"price_hourly"`
	CPU   *float64          `json:"cpu"`
	Tags  map[string]string `json:"tags"`
}

type priced struct {
	Amount   float64 `json:"amount"`
	Currency string  `json:"currency"`
}

func items() term.View {
	list := []item{
		{Name: "b", Size: new("Large"), When: time.Date(2026, 11, 30, 20, 44, 7, 123, time.UTC), Price: &priced{0.1, "USD"}, CPU: new(67.25), Tags: map[string]string{"t": "1"}},
		{Name: "a", Size: new("small"), Price: &priced{0.02, "USD"}, CPU: new(9.5)},
		{Name: "C", When: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	return term.View{Data: list, Grid: term.Rows(list, []term.Column[item]{
		{Name: "name", Value: func(i item) string { return i.Name }},
		{Name: "created", Value: func(i item) string { return i.When.Format("2006-01-02") }},
		{Name: "price_hourly", Title: "per hour", Value: func(i item) string {
			if i.Price == nil {
				return ""
			}
			return fmt.Sprintf("%.2f USD", i.Price.Amount)
		}},
		{Name: "cpu", Value: func(i item) string {
			if i.CPU == nil {
				return ""
			}
			return fmt.Sprintf("%.0f%%", *i.CPU)
		}},
	})}
}

// TestMachinesReadWholeValues: what a table rounds for people is whole in csv and tsv.
func TestMachinesReadWholeValues(t *testing.T) {
	t.Parallel()
	for format, want := range map[term.Format]string{
		term.CSV:   "name,created,price_hourly,cpu,currency\nb,2026-11-30T20:44:07.000000123Z,0.1,67.25,USD\na,0001-01-01T00:00:00Z,0.02,9.5,USD\nC,2026-01-01T00:00:00Z,,,\n",
		term.Table: "NAME  CREATED     PER HOUR  CPU\nb     2026-11-30  0.10 USD  67%\na     0001-01-01  0.02 USD  10%\nC     2026-01-01  -         -\n",
		term.Name:  "b\na\nC\n",
	} {
		if got := render(t, term.Output{Format: format}, items()); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", format, got, want)
		}
	}
}

func TestSortColumnsAndFields(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		o    term.Output
		want string
	}{
		{term.Output{Format: term.Name, SortBy: "name"}, "a\nb\nC\n"},
		{term.Output{Format: term.Name, SortBy: "-name"}, "C\nb\na\n"},
		{term.Output{Format: term.Name, SortBy: "cpu"}, "a\nb\nC\n"}, // by number, not by text
		{term.Output{Format: term.Name, SortBy: "-price_hourly"}, "b\na\nC\n"},
		{term.Output{Format: term.Table, Columns: []string{"size", "name"}}, "SIZE   NAME\nLarge  b\nsmall  a\n-      C\n"},
		{term.Output{Format: term.TSV, Columns: []string{"price_hourly"}}, "0.1\tUSD\n0.02\tUSD\n\t\n"},
		{term.Output{Format: term.Table, Fields: []string{"size", "name"}, JQ: ".[0]"}, `{"name":"b","size":"Large"}` + "\n"},
		{term.Output{Format: term.YAML, Fields: []string{"size", "name"}, SortBy: "name"}, "- size: small\n  name: a\n- size: Large\n  name: b\n- size: null\n  name: C\n"},
		{term.Output{Format: term.TSV, Fields: []string{"size", "name"}}, "Large\tb\nsmall\ta\n\tC\n"},
	} {
		if got := render(t, test.o, items()); got != test.want {
			t.Errorf("%+v:\n%s\nwant\n%s", test.o, got, test.want)
		}
	}
	if got := render(t, term.Output{Format: term.Table, Fields: []string{"name"}}, items()); !strings.Contains(got, `"name": "b"`) || strings.Contains(got, "cpu") {
		t.Errorf("fields alone are printed as\n%s", got)
	}
}

// TestFieldsOfItemsWithSeveralRows: --json counts items, not the rows that show them.
func TestFieldsOfItemsWithSeveralRows(t *testing.T) {
	t.Parallel()
	v := items()
	v.Grid.Rows = append(v.Grid.Rows, v.Grid.Rows...)
	if got := render(t, term.Output{Format: term.Table, Fields: []string{"name"}, JQ: "map(.name)|join(\" \")"}, v); got != "b a C\n" {
		t.Errorf("got %q", got)
	}
}

// TestQueriesAsAz: the shapes and the order of what the Azure CLI prints.
func TestQueriesAsAz(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		format term.Format
		query  string
		want   string
	}{
		{term.TSV, "[:2].[name,cpu]", "b\t67.25\na\t9.5\n"},
		{term.Table, "[:2].[name,cpu]", "Column1  Column2\nb        67.25\na        9.5\n"},
		{term.CSV, "[:2].[name,cpu]", "Column1,Column2\nb,67.25\na,9.5\n"},
		{term.Table, "[:2].{zname:name,cpu:cpu}", "zname  cpu\nb      67.25\na      9.5\n"},
		{term.TSV, "[:2].{zname:name,cpu:cpu}", "b\t67.25\na\t9.5\n"},
		{term.TSV, "[].name", "b\na\nC\n"},
		{term.TSV, "[0].name", "b\n"},
		{term.TSV, "[?name==`C`].name", "C\n"},
		{term.TSV, "[?name=='C' && cpu==`null`].name", "C\n"},
		{term.TSV, "[?cpu>`10`].\"name\"", "b\n"},
		{term.JSON, "[0].{z:name,a:size}", "{\n  \"z\": \"b\",\n  \"a\": \"Large\"\n}\n"},
		{term.JSON, "[2]", "{\n  \"name\": \"C\",\n  \"size\": null,\n  \"created\": \"2026-01-01T00:00:00Z\",\n  \"price_hourly\": null,\n  \"cpu\": null,\n  \"tags\": null\n}\n"},
	} {
		if got := render(t, term.Output{Format: test.format, Query: test.query}, items()); got != test.want {
			t.Errorf("%s %s:\n%s\nwant\n%s", test.format, test.query, got, test.want)
		}
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	v := view(row{Name: strings.Repeat("n", 40), Note: strings.Repeat("x", 60)})
	for _, width := range []int{20, 50, 80, 200} {
		got := render(t, term.Output{Format: term.Table, Streams: term.Streams{Width: width}}, v)
		for line := range strings.Lines(got) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
				t.Errorf("width %d: a line of %d: %q", width, n, line)
			}
		}
		if hasNote := strings.Contains(got, "NOTE"); hasNote != (width == 200) {
			t.Errorf("width %d: the wide column shown: %v", width, hasNote)
		}
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	v := view(row{Name: "a"}, row{Name: "b"})
	for _, test := range []struct {
		o    term.Output
		want string
	}{
		{term.Output{Format: term.TSV, Query: "rows[].name"}, "a\nb\n"},
		{term.Output{Format: term.JSON, Query: "length(rows)"}, "2\n"},
		{term.Output{Format: term.Table, Query: "rows[].{n: name}"}, "n\na\nb\n"},
		{term.Output{Format: term.Table, JQ: ".rows[].name"}, "a\nb\n"},
		{term.Output{Format: term.JSON, JQ: ".rows|length"}, "2\n"},
	} {
		if got := render(t, test.o, v); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.o, got, test.want)
		}
	}
	for _, bad := range [][2]string{{"rows[", ""}, {"", ".rows["}, {"a", ".b"}} {
		if err := term.CheckQueries(bad[0], bad[1]); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%q was accepted: %v", bad, err)
		}
	}
}

func TestControlCharactersNeverReachATerminal(t *testing.T) {
	t.Parallel()
	evil := "x\x1b]0;owned\x07\u202e\r\ny"
	got := render(t, term.Output{Format: term.Table}, view(row{Name: evil}))
	if strings.ContainsAny(got, "\x1b\x07\r\u202e") || strings.Count(got, "\n") != 2 {
		t.Errorf("got %q", got)
	}
	if got := render(t, term.Output{Format: term.JSON}, view(row{Name: evil})); !json.Valid([]byte(got)) {
		t.Errorf("not JSON: %q", got)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("=cmd|' /C calc'!A0")
	f.Add("-5")
	f.Add("@x,\"y\"\n")
	f.Fuzz(func(t *testing.T, s string) {
		var out bytes.Buffer
		o := term.Output{Format: term.CSV, Streams: term.Streams{Out: &out, Err: &out}}
		if err := o.Print(view(row{Name: "n" + s, Note: s})); err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(records) != 2 || len(records[1]) != 3 {
			t.Fatalf("%q became %q, %v", s, records, err)
		}
		if got := records[1][2]; got != "" && strings.ContainsRune("=+@\t\r", rune(got[0])) && !strings.ContainsAny(got, "0123456789") {
			t.Errorf("%q is a formula for a spreadsheet", got)
		}
	})
}
