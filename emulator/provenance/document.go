package provenance

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/contract"
)

//go:embed differences.tsv
var differences string

func sections() []string {
	return []string{"Microsoft.Compute", "Microsoft.Network", "Microsoft.Storage", "Microsoft.Resources", "Microsoft.Authorization", "Entra ID", "Beside Azure Resource Manager"}
}

// Markdown is the text of docs/fidelity.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(introduction)
	summary(&b)
	by := map[string][]string{}
	for client, l := range Checked() {
		for _, op := range l {
			by[op] = append(by[op], client)
		}
	}
	for _, s := range sections() {
		fmt.Fprintf(&b, "\n## %s\n", s)
		types, rows := grouped(s)
		for _, t := range types {
			if t != "" {
				fmt.Fprintf(&b, "\n### %s\n", t)
			}
			b.WriteString("\n| operation | source | checked by | known differences, and what is unverified |\n|---|---|---|---|\n")
			for _, r := range rows[t] {
				clients := by[r.Method+" "+r.Route]
				slices.Sort(clients)
				fmt.Fprintf(&b, "| `%s %s` | %s | %s | %s |\n", r.Method, short(r.Route), r.Source, strings.Join(clients, ", "), r.Note)
			}
		}
	}
	b.WriteString(refusals)
	exceptions(&b)
	b.WriteString(absent)
	b.WriteString("\n## Faults found with az, the SDKs, Azure's examples and descriptions, and curl\n\n| found by | what | mended |\n|---|---|---|\n")
	for line := range strings.Lines(differences) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) == 3 && !strings.HasPrefix(line, "#") {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", f[0], f[1], f[2])
		}
	}
	return b.String()
}

// summary counts the operations of each section by what is known about them.
func summary(b *strings.Builder) {
	b.WriteString("\n| section | operations | recording | specification | SDK source | az | unverified | checked by az | by the SDK | by examples | by nobody |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	checked := Checked()
	for _, s := range sections() {
		n := map[string]int{}
		for _, r := range Rows() {
			if sectionOf(r.Route) != s {
				continue
			}
			n["all"]++
			n[r.Source]++
			seen := false
			for client, l := range checked {
				if slices.Contains(l, r.Method+" "+r.Route) {
					n["by "+client]++
					seen = true
				}
			}
			if !seen {
				n["by nobody"]++
			}
		}
		fmt.Fprintf(b, "| %s", s)
		for _, k := range []string{"all", Recording, Specification, SDK, AzureCLI, Unverified, "by " + ByAz, "by " + BySDK, "by " + ByExample, "by nobody"} {
			fmt.Fprintf(b, " | %d", n[k])
		}
		b.WriteString(" |\n")
	}
}

// exceptions lists what Azure takes or answers without its descriptions.
func exceptions(b *strings.Builder) {
	b.WriteString("\n### Beyond the descriptions\n\n| definition or operation | member, status or path | source |\n|---|---|---|\n")
	for _, x := range contract.Beyond() {
		what := strings.ReplaceAll(strings.ReplaceAll(x.What, "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}", "G"), "/providers", "")
		fmt.Fprintf(b, "| %s | `%s` | %s |\n", x.Where, what, x.Source)
	}
}

// grouped are the rows of a section by resource type, the types in the order in which they come.
func grouped(section string) ([]string, map[string][]Row) {
	var types []string
	rows := map[string][]Row{}
	for _, r := range Rows() {
		if sectionOf(r.Route) != section {
			continue
		}
		t := typeOf(section, r.Route)
		if rows[t] == nil {
			types = append(types, t)
		}
		rows[t] = append(rows[t], r)
	}
	return types, rows
}

// typeOf is the resource type that a route is about, without its namespace; "" where types mean nothing.
func typeOf(section, route string) string {
	_, rest, ok := strings.Cut(route, "/providers/"+section+"/")
	if !ok {
		if section == "Microsoft.Resources" {
			switch {
			case strings.Contains(route, "/deployments"):
				return "deployments"
			case strings.Contains(route, "resourcegroups"):
				return "resourceGroups"
			}
			return "subscriptions and what they list"
		}
		return ""
	}
	first, _, _ := strings.Cut(rest, "/")
	if first != "locations" {
		return first
	}
	return "what a region has"
}

const refusals = `
## Bodies and answers as described

Bodies of writes are judged by Azure's published API descriptions (emulator/arm/contract): in the oldest api-version that they have from
the one asked for on. Unknown members, wrong types, missing required members and values outside of a list are refused with 400, before
anything is looked at; so are members that came after the api-version of the request. Members that the service fills in are taken and not
looked at. Every answer of the cases of test/conformance is held
against the same descriptions; test/conformance spoils the bodies of all types, one member at a time, and counts how many are refused.

| refusal | source |
|---|---|
| InvalidRequestContent "The request content was invalid and could not be deserialized: 'Could not find member 'AccountType' on object of type 'ResourceDefinition'. Path 'AccountType', line 2, position 17.'." of members beside properties, by the gateway | public reports: Azure/azure-sdk-for-net#3487, Azure/azure-powershell#4309 |
| the same of 'ManagementLockDefinition' | public report: Azure/azure-sdk-for-net#2542 |
| InvalidRequestContent "…: Required property 'name' not found in 'sku'." | public report: JeffBow/AzurePowerShell#10 |
| Microsoft.Compute: BadRequest "Could not find member 'managedDisk' on object of type 'OSDisk'. Path 'properties.storageProfile.osDisk.managedDisk', line 1, position 252.", target vm.properties.… | public reports: Azure/azure-cli#3951, Azure/azure-cli#18855 (type 'Properties') |
| Microsoft.Compute: BadRequest "Error converting value "Unrecognized" to type 'System.Nullable...[Microsoft.WindowsAzure.ComputeResourceProvider.API.Disk+CachingType]'. Path …" | public report: jclouds/jclouds-labs#394; the names of most types are unverified |
| Microsoft.Compute: InvalidParameter "Required parameter 'osDisk.createOption' is missing (null)." | public reports: Azure/azure-powershell#4001, Azure/azure-quickstart-templates#419 |
| Microsoft.Network: InvalidRequestFormat "Cannot parse the request." with details InvalidJson "Could not find member 'Sku' on object of type 'PublicIpAddressProperties'. Path 'properties.Sku', line 1, position 79." | public reports: microsoft/sql-server-samples#1294, MicrosoftLearning/AZ-700-Designing-and-Implementing-Microsoft-Azure-Networking-Solutions#153 |
| Microsoft.Network: InvalidJson "Error converting value "playground" to type 'Microsoft.WindowsAzure.Networking.Nrp.Frontend.Contract.Csm.Public.IpAllocationMethod'. Path …" | public source: a recorded answer in a test of a client |
| Microsoft.Storage: the words of the gateway; InvalidRequestPropertyValue for values | unverified |
| "Required property 'x' not found in JSON. Path …" of Microsoft.Network and Microsoft.Storage; lists for objects, texts for numbers | the words of the reader that Azure's services use (Newtonsoft.Json); unverified |
| a number or true where a text is wanted is refused; Azure's reader may turn it into a text | unverified |
| values that an enumeration does not have, where the descriptions leave it open: refused but for sizes, SKUs, kinds and what security rules hold, which have refusals of their own | unverified |
`

const absent = `
## Not emulated

These answer 501 in Azure's error envelope, or are refused as unknown.

| type | what is not there |
|---|---|
| virtualMachines | networkInterfaceConfigurations (interfaces that Azure makes with the VM), capture, convertToManagedDisks, assessPatches, installPatches, performMaintenance, simulateEviction, attachDetachDataDisks, managed run commands (runCommands), hibernation |
| disks, snapshots | the data behind a shared access signature, disk encryption sets, disk access, uploads |
| galleries | applications, scripts, sharing, community galleries, replication that takes its time in each region, soft deletion, data disks in images |
| images (404, and 501 for making one), availability sets, scale sets, hosts, placement groups, capacity reservations, restore points | all but empty lists of images |
| virtualNetworks | service endpoint policies, route tables, DDoS protection |
| networkInterfaces | effective routes and rules |
| bastionHosts | private-only ones, shareable links, lists of sessions, recordings, sessions in a browser |
| other types of Microsoft.Network | gateways, firewalls, DNS zones; what load balancers and private endpoints do |
| storageAccounts | the data planes of blobs, files, queues and tables, SAS, failover, management policies, private endpoints, encryption scopes, deleted accounts |
| file shares | snapshots, deleted shares, access policies |
| deployments | mode Complete, template links, nested templates, what-if, other scopes than a group, reference() in resources, functions beside the common ones |
| resources | move, export; PUT and PATCH go to the resource itself |
| Microsoft.Authorization | role assignments and definitions, policies through the API |
| Entra ID | interactive sign-in in a browser, Microsoft Graph |
`

const introduction = `<!-- Made by go test ./emulator/provenance -update. Do not edit. -->
# How true the emulator is

The emulator speaks Azure's wire protocol, but it is not Azure. This table says of every operation that it
answers where the shape of the answer comes from:

- **recording**: a recorded answer of real Azure;
- **specification**: Azure's published API descriptions with their examples;
- **SDK source**: what an official SDK needs in order to work;
- **az**: the real Azure CLI was content with it;
- **unverified**: none of these.

Who checks an operation is found out by the clients' own tests, from what they were seen to ask for:

- **az**: the real Azure CLI 2.45 (test/az), whose output is compared field by field with the emulator's state;
- **SDK**: the official SDK for Go (the tests of package emulator; azlin itself is written with it, too);
- **example**: a case of test/conformance, with status, headers and the whole body, made from a recording, an example of
  the specification or a public report. 50 changes of the emulator's answers, drawn anew each time, must each be noticed.

No case has run against a real subscription yet (make live).

S stands for ` + "`/subscriptions/{subscriptionId}`" + `, G for a resource group in it. What is not listed answers 501 in
Azure's error envelope and names itself. The everyday part is run with the official Go SDK and with the real az
(test/az), which proves that those clients understand the answers, not that Azure gives them.

General differences:

- One subscription, one tenant. Whoever signs in as the default service principal or as the user may do everything.
  Other principals have the roles that the emulator was given; roles cannot be assigned through its API. Policies
  are those about tags that the emulator was given. Which action an operation needs is derived from its path, and the links to other resources that need
  rights too are those that clients of VMs meet. The resources of a template are not checked.
- Operations take milliseconds; with realistic times they take about as long as in Azure, and longer while more than 40
  are under way, by a guess. Retry-After is 1 and Retry-After-Ms is sent too, unless times are realistic.
- Rate limits are counted as in Azure: token buckets for each principal, for all principals of a subscription and for the
  tenant (documented), Compute's windows of 3 and 30 minutes in each region (recorded). They recover a hundred times as
  fast unless times are realistic or --throttle azure asks for it; only then Compute's limits per VM count (documented).
  No header tells what is left of a VM's: no recording names one. Deallocation counts as a deletion (recorded and
  documented), a PATCH of a VM as a PUT (recorded). The words of the refusals for a tenant and for a VM are unverified.
- Quota limits, image versions and the list of sizes are the emulator's own. The background process does not offer
  Standard_NC24ads_A100_v4 to the subscription, so that there is a size to be refused.
- Public addresses are loopback addresses in 127.77.0.0/16, and the hosts behind them share one network
  with this machine: a VM reaches what listens on its loopback, and a server there that asks for the user id sees that of
  whoever runs the emulator (an unprivileged one, where root does). Abstract Unix sockets of the machine are closed to VMs
  from Linux 6.12 on.
- Security rules are judged for the operator's address at port 22, when a host is reached from outside, and for the
  address of a Bastion, when it is reached through one; nothing filters traffic between VMs or to the Internet.
- A Bastion's dnsName is its public address, with a port where 443 is not to be had, instead of a name below
  bastion.azure.com: no resolver would find that on this machine. It answers there over TLS.
`
