package azure

import (
	"fmt"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// ID is a parsed ARM resource id. Azure changes the letter case of ids, so compare them with Equal or by Key, never as
// strings.
type ID struct {
	Subscription  string
	ResourceGroup string // empty for a subscription or a subscription-level resource
	Provider      string // "Microsoft.Compute"; empty for a subscription or a group
	Types         []string
	Names         []string // one for each of Types
}

// ParseID parses /subscriptions/S[/resourceGroups/G][/providers/P/type/name…]. An extension resource (a second /providers/)
// is treated as part of the last provider's path. Anything else is an Invalid error.
func ParseID(s string) (ID, error) {
	bad := func(why string) (ID, error) {
		return ID{}, errkind.New(errkind.Invalid, "%q is not an Azure resource id: %s", s, why)
	}
	if len(s) > 8192 {
		return bad("too long")
	}
	if strings.ContainsAny(s, "?#\x00\r\n") {
		return bad("it contains a character that ids do not have")
	}
	rest, ok := strings.CutPrefix(s, "/")
	if !ok {
		return bad("it does not begin with a slash")
	}
	parts := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	for _, p := range parts {
		if p == "" || p == "." || p == ".." {
			return bad("a part of it is empty")
		}
	}
	if len(parts) < 2 || !strings.EqualFold(parts[0], "subscriptions") {
		return bad("it does not begin with /subscriptions/")
	}
	id := ID{Subscription: parts[1]}
	parts = parts[2:]
	if len(parts) >= 2 && strings.EqualFold(parts[0], "resourceGroups") {
		id.ResourceGroup = parts[1]
		parts = parts[2:]
	}
	if len(parts) == 0 {
		return id, nil
	}
	if len(parts) < 4 || !strings.EqualFold(parts[0], "providers") {
		return bad("no provider, type and name follow")
	}
	id.Provider = parts[1]
	parts = parts[2:]
	if len(parts)%2 != 0 {
		return bad("the last type has no name")
	}
	for i := 0; i < len(parts); i += 2 {
		id.Types = append(id.Types, parts[i])
		id.Names = append(id.Names, parts[i+1])
	}
	return id, nil
}

// NewID makes the id of a resource in a group; typeAndNames alternate ("virtualMachines", "a").
func NewID(subscription, group, provider string, typeAndNames ...string) ID {
	id := ID{Subscription: subscription, ResourceGroup: group, Provider: provider}
	for i := 0; i+1 < len(typeAndNames); i += 2 {
		id.Types = append(id.Types, typeAndNames[i])
		id.Names = append(id.Names, typeAndNames[i+1])
	}
	return id
}

// String writes the id in Azure's usual letter case.
func (id ID) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "/subscriptions/%s", id.Subscription)
	if id.ResourceGroup != "" {
		fmt.Fprintf(&b, "/resourceGroups/%s", id.ResourceGroup)
	}
	if id.Provider != "" {
		fmt.Fprintf(&b, "/providers/%s", id.Provider)
		for i := range id.Types {
			fmt.Fprintf(&b, "/%s/%s", id.Types[i], id.Names[i])
		}
	}
	return b.String()
}

// Key is the same for ids of the same resource; use it as a map key.
func (id ID) Key() string { return strings.ToLower(id.String()) }

// Equal reports whether both ids name the same resource.
func (id ID) Equal(other ID) bool { return id.Key() == other.Key() }

// Name is the last name in the id: the resource's own, else the group's, else the subscription's.
func (id ID) Name() string {
	switch {
	case len(id.Names) > 0:
		return id.Names[len(id.Names)-1]
	case id.ResourceGroup != "":
		return id.ResourceGroup
	}
	return id.Subscription
}

// Type is the full resource type, "Microsoft.Network/networkSecurityGroups/securityRules".
func (id ID) Type() string {
	switch {
	case id.Provider != "":
		return id.Provider + "/" + strings.Join(id.Types, "/")
	case id.ResourceGroup != "":
		return "Microsoft.Resources/resourceGroups"
	}
	return "Microsoft.Resources/subscriptions"
}

// IsType compares resource types without regard to case.
func (id ID) IsType(t string) bool { return strings.EqualFold(id.Type(), t) }

// Parent is the id of the resource that contains this one: a rule's security group, a subnet's network; for a top-level
// resource the resource group, for a group the subscription.
func (id ID) Parent() ID {
	switch {
	case len(id.Types) > 1:
		n := len(id.Types) - 1
		id.Types, id.Names = id.Types[:n:n], id.Names[:n:n]
	case id.Provider != "":
		id.Provider, id.Types, id.Names = "", nil, nil
	default:
		id.ResourceGroup = ""
	}
	return id
}

// SameID compares two ids as strings, ignoring case and a trailing slash.
func SameID(a, b string) bool { return IDKey(a) == IDKey(b) }

// IDKey is a form of an id that is the same for ids of the same resource.
func IDKey(id string) string { return strings.ToLower(strings.TrimSuffix(id, "/")) }
