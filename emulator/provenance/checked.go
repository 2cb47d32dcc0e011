package provenance

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
)

// Clients that look at operations, as checked.tsv names them.
const (
	ByAz      = "az"      // the real az: test/az
	BySDK     = "SDK"     // the official SDK for Go: the tests of package emulator
	ByExample = "example" // cases made from recordings, examples and public reports: test/conformance
)

//go:embed checked.tsv
var checked string

// Checked returns who looks at which operation: method and route by client.
func Checked() map[string][]string {
	m := map[string][]string{}
	for line := range strings.Lines(checked) {
		client, operation, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if ok && !strings.HasPrefix(client, "#") {
			m[client] = append(m[client], operation)
		}
	}
	return m
}

// WithChecked returns the text of checked.tsv with other operations of a client.
func WithChecked(client string, operations map[string]bool) string {
	all := Checked()
	all[client] = slices.Sorted(maps.Keys(operations))
	var b strings.Builder
	b.WriteString("# client\toperation; made by the clients' own tests with -update\n")
	for _, c := range slices.Sorted(maps.Keys(all)) {
		for _, o := range slices.Compact(slices.Sorted(slices.Values(all[c]))) {
			b.WriteString(c + "\t" + o + "\n")
		}
	}
	return b.String()
}

// Operation finds the row that a request belongs to, as "GET /subscriptions/{subscriptionId}/…". "" for a
// request that no row is about.
func Operation(method, path string) string {
	seg := strings.Split(strings.Trim(path, "/"), "/")
	best, literal := "", -1
	for _, r := range Rows() {
		if n, ok := fits(strings.Split(strings.Trim(r.Route, "/"), "/"), seg); ok && r.Method == method && n > literal {
			best, literal = r.Method+" "+r.Route, n
		}
	}
	return best
}

// fits reports whether a path is one of a template, and how many of its segments are literal.
func fits(template, seg []string) (literal int, ok bool) {
	if template[0] == "{scope}" {
		cut := len(seg) - (len(template) - 1)
		if cut < 2 {
			return 0, false
		}
		seg, template = seg[cut:], template[1:]
	}
	if len(seg) != len(template) {
		return 0, false
	}
	for i, t := range template {
		switch {
		case strings.HasPrefix(t, "{"):
		case strings.EqualFold(t, seg[i]):
			literal++
		default:
			return 0, false
		}
	}
	return literal, true
}
