package term

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
	jmespath "github.com/jmespath-community/go-jmespath"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"

	"github.com/azlin-dev/azlin/errkind"
)

// CheckQueries parses both kinds of query, so that a mistake is found before anything is done.
func CheckQueries(query, jq string) error {
	if query != "" && jq != "" {
		return errkind.New(errkind.Invalid, "--query and --jq exclude each other")
	}
	if query != "" {
		if _, err := jmespath.Compile(withJSONLiterals(query)); err != nil {
			return errkind.New(errkind.Invalid, "--query: %w", err)
		}
	}
	if jq != "" {
		if _, err := gojq.Parse(jq); err != nil {
			return errkind.New(errkind.Invalid, "--jq: %w", err)
		}
	}
	return nil
}

// withJSONLiterals quotes what is in backticks and is no JSON, as az does: [?name==`dev`] is [?name==`"dev"`].
func withJSONLiterals(query string) string {
	var b strings.Builder
	for {
		at := strings.IndexAny(query, "'\"`")
		if at < 0 {
			break
		}
		end := at + 1
		for end < len(query) && query[end] != query[at] {
			if query[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(query) {
			break // the parser reports that it is not closed
		}
		text := query[at+1 : end]
		if query[at] == '`' && !json.Valid([]byte(strings.ReplaceAll(text, "\\`", "`"))) {
			text = `"` + strings.ReplaceAll(strings.TrimSpace(text), `"`, `\"`) + `"`
		}
		b.WriteString(query[:at+1] + text + query[end:end+1])
		query = query[end+1:]
	}
	return b.String() + query
}

// plain turns data into maps, slices, strings and numbers by way of its JSON form.
func plain(data any) (any, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	var v any
	err = json.Unmarshal(raw, &v)
	return v, err
}

// selectJMESPath gives objects the order of the query that makes them, as az does, and others that of the data.
func selectJMESPath(query string, data any) (any, error) {
	v, err := plain(data)
	if err != nil {
		return nil, err
	}
	query = withJSONLiterals(query)
	selected, err := jmespath.Search(query, v)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "--query: %w", err)
	}
	parsed, err := parsing.NewParser().Parse(query)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "--query: %w", err)
	}
	ordered, err := valueOf(data)
	if err != nil {
		return nil, err
	}
	by := ordering{rank: map[string]int{}}
	by.made(parsed)
	by.seen(ordered)
	return by.arrange(selected), nil
}

// ordering knows in which order objects have their members.
type ordering struct {
	hashes [][]string     // of the objects that a query makes
	rank   map[string]int // of members of the data
}

func (by *ordering) made(node parsing.ASTNode) {
	if node.NodeType == parsing.ASTMultiSelectHash {
		var keys []string
		for _, child := range node.Children {
			if key, ok := child.Value.(string); ok {
				keys = append(keys, key)
			}
		}
		by.hashes = append(by.hashes, keys)
	}
	for _, child := range node.Children {
		by.made(child)
	}
}

func (by *ordering) seen(v any) {
	switch v := v.(type) {
	case object:
		for _, k := range v.keys {
			if _, ok := by.rank[k]; !ok {
				by.rank[k] = len(by.rank)
			}
			by.seen(v.values[k])
		}
	case []any:
		for _, e := range v {
			by.seen(e)
		}
	}
}

func (by *ordering) arrange(v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := object{keys: by.order(v), values: map[string]any{}}
		for k, e := range v {
			o.values[k] = by.arrange(e)
		}
		return o
	case []any:
		out := make([]any, len(v))
		for n, e := range v {
			out[n] = by.arrange(e)
		}
		return out
	}
	return v
}

func (by *ordering) order(m map[string]any) []string {
	keys := slices.Sorted(maps.Keys(m))
	for _, hash := range by.hashes {
		if slices.Equal(slices.Sorted(slices.Values(hash)), keys) {
			return hash
		}
	}
	slices.SortStableFunc(keys, func(a, b string) int {
		x, ok := by.rank[a]
		y, also := by.rank[b]
		if !ok || !also {
			return 0
		}
		return cmp.Compare(x, y)
	})
	return keys
}

// printJQ prints each result on its own line: strings as they are, everything else as JSON, as gh does.
func (o Output) printJQ(data any) error {
	v, err := plain(data)
	if err != nil {
		return err
	}
	query, err := gojq.Parse(o.JQ)
	if err != nil {
		return errkind.New(errkind.Invalid, "--jq: %w", err)
	}
	results := query.Run(v)
	for {
		r, ok := results.Next()
		if !ok {
			return nil
		}
		if err, failed := r.(error); failed {
			if _, list := v.([]any); list && strings.HasPrefix(o.JQ, ".") && !strings.HasPrefix(o.JQ, ".[") && strings.Contains(err.Error(), "expected an object but got: array") {
				return errkind.New(errkind.Invalid, "--jq %s: the result is a list; begin with .[]", o.JQ)
			}
			return errkind.New(errkind.Invalid, "--jq: %w", err)
		}
		if err := printJQResult(o.Streams.Out, r); err != nil {
			return err
		}
	}
}

func printJQResult(w io.Writer, r any) error {
	if s, ok := r.(string); ok {
		_, err := fmt.Fprintln(w, s)
		return err
	}
	raw, err := gojq.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(raw))
	return err
}

// viewOf shows the result of a query as az does: an object is a row, a list of objects is a table, a list of lists has a
// column for each of their elements, and anything else a single one.
func viewOf(v any) View {
	view := View{Data: v}
	rows, ok := v.([]any)
	switch {
	case v == nil, ok && len(rows) == 0:
		view.Note = "the query selects nothing"
		return view
	case !ok:
		rows = []any{v}
	}
	var names []string
	for _, r := range rows {
		switch r := r.(type) {
		case object:
			for _, k := range r.keys {
				if !slices.Contains(names, k) {
					names = append(names, k)
				}
			}
		case []any:
			for n := len(names); n < len(r); n++ {
				names = append(names, "Column"+strconv.Itoa(n+1))
			}
		}
	}
	if names == nil {
		names = []string{"Result"}
	}
	g := Grid{Columns: names, titles: names}
	for _, r := range rows {
		row := make([]string, len(names))
		switch r := r.(type) {
		case object:
			for i, k := range names {
				row[i] = cell(r.values[k])
			}
		case []any:
			for i, e := range r {
				row[i] = cell(e)
			}
		default:
			row[0] = cell(r)
		}
		g.Rows = append(g.Rows, row)
	}
	view.Grid = g
	return view
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
