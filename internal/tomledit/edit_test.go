package tomledit_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/internal/tomledit"
)

func parse(t testing.TB, text string) *tomledit.Document {
	t.Helper()
	d, err := tomledit.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return d
}

func TestSet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		old   string
		path  string
		value any
		want  string
	}{
		"an empty document":             {"", "a", "x", "a = \"x\"\n"},
		"a value, its comment stays":    {"# top\na  =  'old'   # why\nb=1\n", "a", "new", "# top\na  =  \"new\"   # why\nb=1\n"},
		"a list over several lines":     {"a = [\n 1, # one\n 2]\nb = 1\n", "a", []string{"x", "y"}, "a = [\"x\", \"y\"]\nb = 1\n"},
		"a multi-line string":           {"a = '''\nx\n''' # c\n", "a", true, "a = true # c\n"},
		"a new key below its siblings":  {"a = 1\n\n# of t\n[t]\nb = 1\n", "c", int64(3), "a = 1\nc = 3\n\n# of t\n[t]\nb = 1\n"},
		"before the first header":       {"# top\n\n# of t\n[t]\nb = 1\n", "c", "x", "# top\n\nc = \"x\"\n\n# of t\n[t]\nb = 1\n"},
		"in a table":                    {"[t]\n  b = 1 # x\n\n[u]\n", "t.c", "x", "[t]\n  b = 1 # x\n  c = \"x\"\n\n[u]\n"},
		"in an empty table":             {"[t] # x\n[u]\n", "t.c", "x", "[t] # x\nc = \"x\"\n[u]\n"},
		"in a table to be made":         {"a = 1\n", "t.u.c", "x", "a = 1\n\n[t.u]\nc = \"x\"\n"},
		"no line end at the end":        {"a = 1", "b", "x", "a = 1\nb = \"x\"\n"},
		"no line end, new table":        {"a = 1", "t.b", "x", "a = 1\n\n[t]\nb = \"x\"\n"},
		"CRLF":                          {"a = 1\r\n[t]\r\n", "t.b", "x", "a = 1\r\n[t]\r\nb = \"x\"\r\n"},
		"dotted keys":                   {"t.a = 1\nx = 1\n", "t.b", "x", "t.a = 1\nt.b = \"x\"\nx = 1\n"},
		"below dotted keys":             {"t.u.a = 1\n", "t.v.b", "x", "t.u.a = 1\nt.v.b = \"x\"\n"},
		"dotted keys below a header":    {"[t]\nu.a = 1\nz = 2\n", "t.u.b", "x", "[t]\nu.a = 1\nu.b = \"x\"\nz = 2\n"},
		"an inline table":               {"t = { a = 1 } # c\n", "t.b", "x", "t = { a = 1, b = \"x\" } # c\n"},
		"an empty inline table":         {"t = {}\n", "t.u.b", "x", "t = { u.b = \"x\" }\n"},
		"a value in an inline table":    {"t = { u = {a = 1}, b = 2 }\n", "t.u.a", "x", "t = { u = {a = \"x\"}, b = 2 }\n"},
		"a table that others imply":     {"[t.u]\na = 1\n", "t.b", "x", "[t.u]\na = 1\n\n[t]\nb = \"x\"\n"},
		"after a list of tables":        {"[[l]]\na = 1\n[l.t]\nb = 1\n", "t.b", "x", "[[l]]\na = 1\n[l.t]\nb = 1\n\n[t]\nb = \"x\"\n"},
		"a key that needs quotes":       {"[t]\n", "t.a b\"c", "x", "[t]\n\"a b\\\"c\" = \"x\"\n"},
		"a header with quotes":          {"[ t . 'u' ]\na = 1\n", "t.u.a", "x", "[ t . 'u' ]\na = \"x\"\n"},
		"what a string may hold":        {"", "a", "q\" b\\ n\n t\t e\x1b ü", "a = \"q\\\" b\\\\ n\\n t\\t e\\u001B ü\"\n"},
		"an indented table below pairs": {"a = 1\n\t[t]\n\tb = 1", "t.c", "x", "a = 1\n\t[t]\n\tb = 1\n\tc = \"x\"\n"},
	} {
		got, err := parse(t, test.old).Set(test.value, strings.Split(test.path, ".")...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, string(got.Bytes())); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestUnset(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, path, want string }{
		"absent":                     {"a = 1 # x\n", "b.c", "a = 1 # x\n"},
		"a line":                     {"# about a\na = [1,\n2] # x\n# about b\nb = 1", "a", "# about a\n# about b\nb = 1"},
		"a table":                    {"x = 1\n\n# of t\n[t]\na = 1 # c\n# in t\nb = 2\n\n[u]\nc = 1\n", "t", "x = 1\n\n# of t\n\n[u]\nc = 1\n"},
		"a table set apart":          {"x = 1\n\n[t]\na = 1\n\n[u]\nc = 1\n", "t", "x = 1\n\n[u]\nc = 1\n"},
		"the last table":             {"x = 1\n\n[t]\na = 1\n", "t", "x = 1\n"},
		"a table in parts":           {"[t.a]\nx = 1\n[u]\n[t.b]\ny = 1\n", "t", "[u]\n"},
		"dotted keys":                {"t.a = 1\nu = 1\nt.b = 2\n", "t", "u = 1\n"},
		"one of a table's":           {"[t]\na = 1\nb = 2\n", "t.a", "[t]\nb = 2\n"},
		"the first inline":           {"t = { a = 1, b = 2 }\n", "t.a", "t = { b = 2 }\n"},
		"the last inline":            {"t = { a = 1, b = 2 }\n", "t.b", "t = { a = 1 }\n"},
		"the only inline":            {"t = {a = 1}\n", "t.a", "t = {}\n"},
		"two of four inline":         {"t = {u.a = 1, b = 2, u.c = 3, d = 4}\n", "t.u", "t = {b = 2, d = 4}\n"},
		"the last two inline":        {"t = {b = 2, u.a = 1, u.c = 3}\n", "t.u", "t = {b = 2}\n"},
		"all inline with a comma":    {"t = {u.a = 1, u.c = 3,}\n", "t.u", "t = {}\n"},
		"a list of tables":           {"[[l]]\na = 1\n[l.t]\nb = 1\n[[l]]\n[u]\n", "l", "[u]\n"},
		"not into a list of tables":  {"[[l]]\na = 1\n", "l.a", "[[l]]\na = 1\n"},
		"a key above a list's table": {"[l]\n[[l.x]]\na = 1\n", "l.x", "[l]\n"},
	} {
		got, err := parse(t, test.old).Unset(strings.Split(test.path, ".")...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, string(got.Bytes())); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestUnsetUndoesSet sets and unsets a key three times: an empty line was left each time.
func TestUnsetUndoesSet(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"[t]\n", "\n[t]\n", "# of t\n[t]\na = 1\n", "# a file\n\n# of t\n[t]\n", "# a file\n\n\n[t]\n", "b = 1\n\n[t]\n", "b = 1\n[t]\n", "", "b = 1\n", "[t]\r\na = 1\r\n",
	} {
		d := parse(t, text)
		for range 3 {
			set, err := d.Set("v", "key")
			if err != nil {
				t.Fatal(err)
			}
			if d, err = set.Unset("key"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(text, string(d.Bytes())); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	}
}

func TestRename(t *testing.T) {
	t.Parallel()
	old := "c.x = 1\n# of old\n[t.old] # here\na = 1\n[t.'old'.sub]\nb = 1\n[u]\nold = 3\n"
	got, err := parse(t, old).Rename("new", "t", "old")
	if err != nil {
		t.Fatal(err)
	}
	want := "c.x = 1\n# of old\n[t.new] # here\na = 1\n[t.new.sub]\nb = 1\n[u]\nold = 3\n"
	if diff := cmp.Diff(want, string(got.Bytes())); diff != "" {
		t.Error(diff)
	}
	for old, want := range map[string]string{
		"t.old.a = 1\nt.old.b = 2\n":      "t.new.a = 1\nt.new.b = 2\n",
		"t = { old.a = 1, 'old'.b = 2 }":  "t = { new.a = 1, new.b = 2 }",
		"[t]\nold = {}\nolder = 1\n":      "[t]\nnew = {}\nolder = 1\n",
		"[t]\nx = 1\nold.a.b = 'old' # k": "[t]\nx = 1\nnew.a.b = 'old' # k",
	} {
		got, err := parse(t, old).Rename("new", "t", "old")
		if err != nil || string(got.Bytes()) != want {
			t.Errorf("%q became %q, %v", old, got.Bytes(), err)
		}
	}
	d := parse(t, "[t.old]\n[t.taken]\n")
	if _, err := d.Rename("taken", "t", "old"); !errors.Is(err, tomledit.ErrShape) {
		t.Errorf("a taken name: %v", err)
	}
	if _, err := d.Rename("x", "t", "absent"); !errors.Is(err, tomledit.ErrShape) {
		t.Errorf("an absent table: %v", err)
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	for old, path := range map[string]string{
		"a = 1\n":          "a.b",
		"[a]\nx = 1\n":     "a",
		"a = {}\n":         "a",
		"[[a]]\n":          "a.b",
		"a = { b = 1 }\n":  "a.b.c",
		"a.b = 1\n":        "a",
		"[[a.b]]\nx = 1\n": "a.b.x",
	} {
		if d, err := parse(t, old).Set("x", strings.Split(path, ".")...); !errors.Is(err, tomledit.ErrShape) {
			t.Errorf("%q with %s: %v, %v", old, path, d, err)
		}
	}
	if _, err := parse(t, "").Set("\xff", "a"); err == nil {
		t.Error("text that is not UTF-8 was written")
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	d := parse(t, "a = 1\n[t.u]\n  bb = 'x'\nv.w = {y = 2}\n")
	for path, want := range map[string][2]int{
		"a": {1, 5}, "t.u.bb": {3, 8}, "t.u": {2, 4}, "t": {2, 2}, "t.u.v.w.y": {4, 12}, "t.u.v": {4, 1}, "t.u.absent": {2, 4}, "nosuch": {1, 1},
	} {
		if line, column := d.Position(strings.Split(path, ".")...); [2]int{line, column} != want {
			t.Errorf("%s is at %d:%d, want %v", path, line, column, want)
		}
	}
	_, err := tomledit.Parse([]byte("a = 1\nb = \n"))
	var syntax *tomledit.Error
	if !errors.As(err, &syntax) || syntax.Line != 2 {
		t.Errorf("got %v", err)
	}
}

// edges returns how long the common beginning and the common end of a and b are, together.
func edges(a, b []byte) int {
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return start + end
}

// subsequence says whether part is whole with bytes taken out.
func subsequence(part, whole []byte) bool {
	for _, b := range whole {
		if len(part) > 0 && part[0] == b {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// check edits text at path and holds the result against what an edit may touch.
func check(t *testing.T, text string, value string, path []string) {
	t.Helper()
	d, err := tomledit.Parse([]byte(text))
	if err != nil {
		return
	}
	old := d.Bytes()
	before, had := d.Get(path...)
	set, err := d.Set(value, path...)
	switch {
	case err == nil:
		if got, _ := set.Get(path...); got != value {
			t.Fatalf("%q: %q at %q reads back as %v", text, value, path, got)
		}
		if kept := edges(old, set.Bytes()); !had && kept < len(old) {
			t.Fatalf("%q: adding %q changed other bytes: %q", text, path, set.Bytes())
		}
		if !had {
			back, err := set.Unset(path...)
			if err != nil {
				t.Fatalf("%q: %q cannot be taken out again: %v", set.Bytes(), path, err)
			}
			if !bytes.HasPrefix(back.Bytes(), old) && edges(old, back.Bytes()) < len(old)-2 {
				t.Fatalf("%q: adding and removing %q gives %q", text, path, back.Bytes())
			}
		}
	case !errors.Is(err, tomledit.ErrShape) && !slices.ContainsFunc(append(path, value), func(s string) bool { return !utf8.ValidString(s) }):
		t.Fatalf("%q at %q: %v", text, path, err)
	}
	if !bytes.Equal(d.Bytes(), old) {
		t.Fatal("an edit changed the document it was made on")
	}
	gone, err := d.Unset(path...)
	if err != nil {
		t.Fatalf("%q without %q: %v", text, path, err)
	}
	if had && len(gone.Bytes()) >= len(old) || !had && !bytes.Equal(gone.Bytes(), old) || !subsequence(gone.Bytes(), old) {
		t.Fatalf("%q without %q (%v) is %q", text, path, before, gone.Bytes())
	}
	if _, still := gone.Get(path...); still {
		t.Fatalf("%q still has %q", gone.Bytes(), path)
	}
	if had {
		renamed, err := d.Rename("a-name-that-nobody-has", path...)
		if err != nil {
			t.Fatalf("%q: rename %q: %v", text, path, err)
		}
		if _, still := renamed.Get(path...); still {
			t.Fatalf("%q still has %q", renamed.Bytes(), path)
		}
	}
}

func FuzzEdit(f *testing.F) {
	for _, seed := range []string{
		"", "a = 1 # c\n", "# x\n[t]\na.b = 1\n\n[t.c]\r\n", "t = { a = 1, b.c = {} }\n", "[[l]]\na = 1\n[l.b]\n", "'' = 1\n[\"\"]\n",
		"a = [\n # c\n {b = 1},\n]\n", "x = '''\n[a]\n'''\n", "a.b.c = 1\na.b.d = 2\n[z]\na = nan\n", "t = {a = 1, # c\n b = 2,\n}\n",
	} {
		f.Add(seed, "v", "t", "a")
		f.Add(seed, "", "a", "b")
	}
	f.Fuzz(func(t *testing.T, text, value, one, two string) {
		check(t, text, value, []string{one})
		check(t, text, value, []string{one, two})
		check(t, text, value, []string{one, two, one})
	})
}

// TestRandomDocuments edits documents that are put together from all the ways to write TOML.
func TestRandomDocuments(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	keys := []string{"a", "b", "'c'", "\"d e\"", "a.b", "b . a", "a.b.c"}
	values := []string{"1", "'x'", "\"y\" ", "[1, 2]", "[\n  1, # one\n]", "{}", "{ a = 1 }", "{b.a = 1, a = {c = 2}}", "'''\n[a]\n'''", "1979-05-27", "nan"}
	ends := []string{"\n", " # comment\n", "\r\n", "\n\n", "\n# line\n", "\n  \t\n"}
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	understood := 0
	for range 20000 {
		var b strings.Builder
		for range random.IntN(7) {
			switch random.IntN(6) {
			case 0:
				b.WriteString("[" + pick(keys) + "]" + pick(ends))
			case 1:
				b.WriteString("[[" + pick(keys) + "]]" + pick(ends))
			case 2:
				b.WriteString("  ")
				fallthrough
			default:
				b.WriteString(pick(keys) + " = " + pick(values) + pick(ends))
			}
		}
		text := b.String()
		if random.IntN(4) == 0 {
			text = strings.TrimRight(text, "\r\n")
		}
		if _, err := tomledit.Parse([]byte(text)); err == nil {
			understood++
		}
		path := []string{"a", "b", "c", "d e", "a"}
		random.Shuffle(len(path), func(i, j int) { path[i], path[j] = path[j], path[i] })
		check(t, text, "new", slices.Clone(path[:1+random.IntN(3)]))
	}
	if understood < 2000 {
		t.Errorf("only %d documents were TOML", understood)
	}
}
