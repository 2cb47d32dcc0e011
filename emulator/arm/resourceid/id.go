// Package resourceid takes the ids of Azure's resources apart, and puts them together.
package resourceid

import (
	"fmt"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// ID is a resource id taken apart. Its parts keep the case they were written in.
type ID struct {
	Subscription string
	Group        string   // "" for what is not in a group
	Namespace    string   // "" for a subscription or a group
	Types        []string // virtualMachines, extensions
	Names        []string // as many as Types, or one fewer for a collection
}

// Parse takes an id apart. An extension resource (a second "providers") keeps only its last
// provider; Scope gives what it extends.
func Parse(s string) (ID, error) {
	if s == "" || s[0] != '/' {
		return ID{}, fmt.Errorf("resource id %q does not start with a slash", s)
	}
	seg := strings.Split(strings.Trim(s, "/"), "/")
	if slices.Contains(seg, "") {
		return ID{}, fmt.Errorf("resource id %q has an empty segment", s)
	}
	var id ID
	for i := 0; i < len(seg); {
		switch {
		case azjson.Fold(seg[i], "subscriptions") && i+1 < len(seg):
			id.Subscription = seg[i+1]
			i += 2
		case azjson.Fold(seg[i], "resourceGroups") && i+1 < len(seg) && id.Namespace == "":
			id.Group = seg[i+1]
			i += 2
		case azjson.Fold(seg[i], "providers") && i+1 < len(seg):
			id.Namespace, id.Types, id.Names = seg[i+1], nil, nil
			i += 2
			for i < len(seg) && !azjson.Fold(seg[i], "providers") {
				id.Types = append(id.Types, seg[i])
				if i++; i < len(seg) && !azjson.Fold(seg[i], "providers") {
					id.Names = append(id.Names, seg[i])
					i++
				}
			}
		default:
			return ID{}, fmt.Errorf("resource id %q: %q is out of place", s, seg[i])
		}
	}
	return id, nil
}

// Type is the full type, as Microsoft.Compute/virtualMachines.
func (id ID) Type() string {
	if id.Namespace == "" {
		if id.Group != "" {
			return "Microsoft.Resources/resourceGroups"
		}
		return "Microsoft.Resources/subscriptions"
	}
	return id.Namespace + "/" + strings.Join(id.Types, "/")
}

// Name is the last name.
func (id ID) Name() string {
	if len(id.Names) == 0 {
		return id.Group
	}
	return id.Names[len(id.Names)-1]
}

// String puts the id together again, for ids of one provider.
func (id ID) String() string {
	var b strings.Builder
	if id.Subscription != "" {
		b.WriteString("/subscriptions/" + id.Subscription)
	}
	if id.Group != "" {
		b.WriteString("/resourceGroups/" + id.Group)
	}
	if id.Namespace != "" {
		b.WriteString("/providers/" + id.Namespace)
	}
	for i, t := range id.Types {
		b.WriteString("/" + t)
		if i < len(id.Names) {
			b.WriteString("/" + id.Names[i])
		}
	}
	return b.String()
}

// Key is what the store knows an id by.
func Key(id string) string { return strings.ToLower(strings.TrimRight(id, "/")) }

// NameOf is the last segment of an id.
func NameOf(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// GroupOf is the group in an id, or "".
func GroupOf(id string) string {
	seg := strings.SplitN(id, "/", 6)
	if len(seg) >= 5 && azjson.Fold(seg[3], "resourceGroups") {
		return seg[4]
	}
	return ""
}

// ParentOf is the id without its last type and name.
func ParentOf(id string) string {
	for range 2 {
		id = id[:max(strings.LastIndexByte(id, '/'), 0)]
	}
	return id
}
