// Package provenance says of each route of the emulator where the shape of its answers comes from, so
// that nobody takes a guess for a fact. docs/fidelity.md is made from it:
//
//	go test ./emulator/provenance -update
package provenance

import (
	_ "embed"
	"fmt"
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

// Markdown is the text of docs/fidelity.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(introduction)
	for _, s := range []string{"Microsoft.Compute", "Microsoft.Network", "Microsoft.Resources", "Microsoft.Authorization", "Entra ID", "Beside Azure Resource Manager"} {
		fmt.Fprintf(&b, "\n## %s\n\n| operation | source | notes |\n|---|---|---|\n", s)
		for _, r := range Rows() {
			if sectionOf(r.Route) == s {
				fmt.Fprintf(&b, "| `%s %s` | %s | %s |\n", r.Method, short(r.Route), r.Source, r.Note)
			}
		}
	}
	return b.String()
}

func sectionOf(route string) string {
	for _, ns := range []string{"Microsoft.Compute", "Microsoft.Network", "Microsoft.Authorization"} {
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

const introduction = `<!-- Made by go test ./emulator/provenance -update. Do not edit. -->
# How true the emulator is

The emulator speaks Azure's wire protocol, but it is not Azure. This table says of every operation that it
answers where the shape of the answer comes from:

- **recording**: a recorded answer of real Azure;
- **specification**: Azure's published API descriptions with their examples;
- **SDK source**: what an official SDK needs in order to work;
- **az**: the real Azure CLI was content with it;
- **unverified**: none of these.

S stands for ` + "`/subscriptions/{subscriptionId}`" + `, G for a resource group in it. What is not listed answers 501 in
Azure's error envelope and names itself. The everyday part is run with the official Go SDK and with the real az
(test/az), which proves that those clients understand the answers, not that Azure gives them.

General differences:

- One subscription, one tenant. Whoever signs in as the default service principal or as the user may do everything.
  Other principals have the roles that the emulator was given; roles cannot be assigned through its API, and there are
  no policies. Which action an operation needs is derived from its path, and the links to other resources that need
  rights too are those that clients of VMs meet. The resources of a template are not checked.
- Operations take milliseconds; with realistic times they take about as long as in Azure. Retry-After is 1 and
  Retry-After-Ms is sent too, unless times are realistic.
- Rate limits are counted as in Azure, but refill a hundred times faster unless times are realistic.
- Quota limits, image versions and the list of sizes are the emulator's own. The background process does not offer
  Standard_NC24ads_A100_v4 to the subscription, so that there is a size to be refused.
- Public addresses are loopback addresses in 127.77.0.0/16, and the hosts behind them share one network.
- Security rules are judged for the operator's address at port 22, when a host is reached from outside; nothing
  filters traffic between VMs or to the Internet.
`
