// Package provenance says of each route of the emulator where the shape of its answers comes from, so
// that nobody takes a guess for a fact. docs/fidelity.md is made from it:
//
//	go test ./emulator/provenance -update
package provenance

import (
	_ "embed"
	"strings"
)

// Sources, from the best to the worst.
const (
	Recording     = "recording"     // a recorded answer of real Azure
	Specification = "specification" // Azure's published API description and its examples
	SDK           = "SDK source"    // what an official SDK needs in order to work
	AzureCLI      = "az"            // the real az was content with it
	Unverified    = "unverified"    // none of these
)

// Row is the provenance of one operation.
type Row struct {
	Method string
	Route  string // template
	Source string
	Note   string // what is left out, or not certain
}

//go:embed provenance.tsv
var table string

// Rows returns the table.
func Rows() []Row {
	var l []Row
	for line := range strings.Lines(table) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 || strings.HasPrefix(line, "#") {
			continue
		}
		l = append(l, Row{Method: f[0], Route: f[1], Source: f[2], Note: f[3]})
	}
	return l
}

func sectionOf(route string) string {
	for _, ns := range []string{"Microsoft.Compute", "Microsoft.Network", "Microsoft.Storage", "Microsoft.Authorization"} {
		if strings.Contains(route, "/providers/"+ns) {
			return ns
		}
	}
	switch {
	case strings.HasPrefix(route, "/subscriptions"), strings.HasPrefix(route, "/tenants"), strings.HasPrefix(route, "/{scope}"):
		return "Microsoft.Resources"
	case strings.HasPrefix(route, "/{tenant}"), strings.HasPrefix(route, "/adfs"), strings.HasPrefix(route, "/common"), route == "/msi/token", route == "/metadata/identity/oauth2/token":
		return "Entra ID"
	}
	return "Beside Azure Resource Manager"
}

// short leaves out what all routes of a section have in common.
func short(route string) string {
	r := strings.NewReplacer("/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/", "G/", "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}", "G",
		"/subscriptions/{subscriptionId}/providers/", "S/", "/subscriptions/{subscriptionId}", "S")
	return strings.ReplaceAll(r.Replace(route), "|", "\\|")
}
