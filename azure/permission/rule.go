package permission

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/azure"
)

// Rule is what one role allows: Actions without NotActions. Names are Azure's, such as
// Microsoft.Compute/virtualMachines/start/action; a star matches any characters.
type Rule struct {
	Actions    []string `json:"actions"`
	NotActions []string `json:"notActions"`
}

// Allows reports whether the rule allows an action.
func (r Rule) Allows(action string) bool {
	named := func(pattern string) bool { return Matches(pattern, action) }
	return slices.ContainsFunc(r.Actions, named) && !slices.ContainsFunc(r.NotActions, named)
}

// Allows reports whether any of the rules allows an action: one role may allow what another excludes.
func Allows(rules []Rule, action string) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.Allows(action) })
}

// Matches reports whether a pattern matches an action. Case is ignored, and a star also matches slashes: */read matches
// every action with that end.
func Matches(pattern, action string) bool {
	pattern, action = strings.ToLower(pattern), strings.ToLower(action)
	// Backtracking to the last star is sufficient: its position, and how much it has matched.
	p, a := 0, 0
	star, taken := -1, 0
	for a < len(action) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, a
			p++
		case p < len(pattern) && pattern[p] == action[a]:
			p++
			a++
		case star >= 0:
			taken++
			p, a = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

const permissionsVersion = "2022-04-01"

// List reads what the signed-in identity may do at a scope, the id of a subscription, a resource group or a resource (GET
// {scope}/providers/Microsoft.Authorization/permissions, one request plus one per further page). It includes inherited
// permissions, but no deny assignments, so Azure may still refuse what this allows.
func List(ctx context.Context, c *azure.Client, scope string) ([]Rule, error) {
	rules := []Rule{}
	err := c.Page(ctx, scope+"/providers/Microsoft.Authorization/permissions", permissionsVersion, func(page []byte) error {
		var list struct {
			Value []Rule `json:"value"`
		}
		if err := json.Unmarshal(page, &list); err != nil {
			return fmt.Errorf("list permissions: %w", err)
		}
		rules = append(rules, list.Value...)
		return nil
	})
	return rules, err
}
