package term_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

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
	v := view(row{Name: "dev", Note: "a,b"}, row{Name: "tëst", Note: "=1+1"})
	v.Data = []row{{Name: "true", Note: "12"}, {Name: "tëst", Note: "a: b"}}
	for format, want := range map[term.Format]string{
		term.Table: "NAME  IP  NOTE\ndev   -   a,b\ntëst  -   =1+1\n",
		term.TSV:   "dev\t\ta,b\ntëst\t\t=1+1\n",
		term.CSV:   "name,ip,note\ndev,,\"a,b\"\ntëst,,'=1+1\n",
		term.YAML:  "- name: \"true\"\n  note: \"12\"\n  ip: null\n  tags: null\n- name: tëst\n  note: 'a: b'\n  ip: null\n  tags: null\n",
	} {
		got := render(t, term.Output{Format: format}, v)
		if got != want {
			t.Errorf("%s:\n%q\nwant\n%q", format, got, want)
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
		{term.Output{Format: term.Table, Query: "rows[].{n: name}"}, "N\na\nb\n"},
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
