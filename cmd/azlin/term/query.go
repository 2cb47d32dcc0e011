package term

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/itchyny/gojq"
	jmespath "github.com/jmespath-community/go-jmespath"

	"github.com/azlin-dev/azlin/errkind"
)

// CheckQueries parses both kinds of query, so that a mistake is found before anything is done.
func CheckQueries(query, jq string) error {
	if query != "" && jq != "" {
		return errkind.New(errkind.Invalid, "--query and --jq exclude each other")
	}
	if query != "" {
		if _, err := jmespath.Compile(query); err != nil {
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

func selectJMESPath(query string, data any) (any, error) {
	v, err := plain(data)
	if err != nil {
		return nil, err
	}
	selected, err := jmespath.Search(query, v)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "--query: %w", err)
	}
	return selected, nil
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

// gridOf shows the result of a query as a table: an object is a row, a list of objects is a table, and
// anything else a single column.
func gridOf(v any) Grid {
	rows, ok := v.([]any)
	if !ok {
		if v == nil {
			return Grid{}
		}
		rows = []any{v}
	}
	var names []string
	for _, r := range rows {
		if m, ok := r.(map[string]any); ok {
			for _, k := range slices.Sorted(maps.Keys(m)) {
				if !slices.Contains(names, k) {
					names = append(names, k)
				}
			}
		}
	}
	if names == nil {
		names = []string{"result"}
	}
	g := Grid{Columns: names}
	for _, r := range rows {
		row := make([]string, len(names))
		switch r := r.(type) {
		case map[string]any:
			for i, k := range names {
				row[i] = cell(r[k])
			}
		case []any:
			row[0] = cell(r)
		default:
			row[0] = cell(r)
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}
