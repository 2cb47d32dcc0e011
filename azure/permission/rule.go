package permission

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/azure"
)

// Rule is what one role allows: what Actions name and NotActions do not. Names are Azure's, as
// Microsoft.Compute/virtualMachines/start/action; a star stands for any characters.
type Rule struct {
	Actions    []string `json:"actions"`
	NotActions []string `json:"notActions"`
}

// Allows reports whether the rule allows an action.
func (r Rule) Allows(action string) bool {
	named := func(pattern string) bool { return Matches(pattern, action) }
	return slices.ContainsFunc(r.Actions, named) && !slices.ContainsFunc(r.NotActions, named)
}

// Allows reports whether any of the rules allows an action: what one role excepts another may give.
func Allows(rules []Rule, action string) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.Allows(action) })
}

// Matches reports whether a pattern names an action. Case does not matter, and a star matches slashes,
// too: */read is every action that ends so.
func Matches(pattern, action string) bool {
	pattern, action = strings.ToLower(pattern), strings.ToLower(action)
	// Two places to go back to are enough: where the last star stood, and what it has taken so far.
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

// List asks Azure what the signed-in identity may do at a scope, the id of a subscription, a resource
// group or a resource (GET {scope}/providers/Microsoft.Authorization/permissions, one request and one for
// each further page). What is inherited from above is in it; deny assignments are not, so that Azure may
// still refuse what this allows.
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
