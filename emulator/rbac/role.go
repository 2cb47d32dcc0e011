package rbac

import (
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// Allows reports whether roles permit an action at a scope: one of them must reach the scope, name the
// action, and not except it.
func Allows(roles []Role, action, scope string) bool {
	return slices.ContainsFunc(roles, func(r Role) bool {
		return within(scope, r.Scope) && names(r.Actions, action) && !names(r.NotActions, action)
	})
}

func names(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Matches(p, action) })
}

// Matches reports whether a pattern of a role names an action. A star stands for any characters,
// slashes included; case does not matter.
func Matches(pattern, action string) bool {
	parts := strings.Split(strings.ToLower(pattern), "*")
	rest, ok := strings.CutPrefix(strings.ToLower(action), parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		at := strings.Index(rest, p)
		if at < 0 {
			return false
		}
		rest = rest[at+len(p):]
	}
	return strings.HasSuffix(rest, last)
}

// within reports whether id is scope or below it.
func within(id, scope string) bool {
	id, scope = resourceid.Key(id), resourceid.Key(scope)
	return scope == "" || id == scope || strings.HasPrefix(id, scope+"/")
}

// Level is where a scope stands: "tenant", "subscription" or "group", the last one for resources too.
func Level(scope string) string {
	seg := strings.Split(strings.Trim(scope, "/"), "/")
	switch {
	case len(seg) >= 4 && azjson.Fold(seg[2], "resourceGroups"):
		return "group"
	case len(seg) >= 2 && azjson.Fold(seg[0], "subscriptions"):
		return "subscription"
	}
	return "tenant"
}
