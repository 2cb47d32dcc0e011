// Package rbac emulates as much of Azure's access control as clients notice: which action a request
// needs, who may do it where, the refusals, and the list of one's own permissions.
//
// Roles belong to principals as they are given to the emulator; role definitions and assignments
// cannot be made through Azure Resource Manager. There are no deny assignments, conditions, groups or
// data actions.
package rbac

import (
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// Role is what a principal may do in a scope and below it.
type Role struct {
	Scope      string // id of a subscription, group or resource
	Actions    []string
	NotActions []string
}

// Caller is who makes a request.
type Caller struct {
	ObjectID, Name string
	Roles          []Role // nil: everything, everywhere
}

// Directory is access control on a server.
type Directory struct {
	s      *arm.Server
	caller func(authorization string) (objectID, name string)
	mu     sync.Mutex
	roles  map[string][]Role // by object id; who has no entry may do everything
	done   map[Need]int
}

// Need is something that a request needs: an action at the level of a subscription or of a group.
type Need struct {
	Action string
	Level  string // "tenant", "subscription" or "group"
}

// Register puts a server under access control. caller tells whom a valid token was given to.
func Register(s *arm.Server, caller func(authorization string) (objectID, name string)) *Directory {
	d := &Directory{s: s, caller: caller, roles: map[string][]Role{}, done: map[Need]int{}}
	s.Permit(d.permit, d.filter)
	v := []string{"2015-07-01", "2018-01-01-preview", "2018-07-01", "2022-04-01"}
	s.Handle(http.MethodGet, "/{scope}/providers/Microsoft.Authorization/permissions", v, d.permissions)
	return d
}

// Assign sets all roles of a principal.
func (d *Directory) Assign(objectID string, roles []Role) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if roles == nil {
		roles = []Role{}
	}
	d.roles[objectID] = roles
}

// Done tells what was needed, and granted, how often.
func (d *Directory) Done() map[Need]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.done)
}

// who finds the caller of a request. restricted is false for those who may do everything.
func (d *Directory) who(c *arm.Call) (caller Caller, restricted bool) {
	id, name := d.caller(c.Header.Get("Authorization"))
	d.mu.Lock()
	defer d.mu.Unlock()
	roles, restricted := d.roles[id]
	return Caller{ObjectID: id, Name: name, Roles: roles}, restricted
}

// May reports whether whoever a token was given to may do an action, outside of Azure Resource Manager.
func (d *Directory) May(authorization, action, scope string) bool {
	id, _ := d.caller(authorization)
	d.mu.Lock()
	roles, restricted := d.roles[id]
	d.mu.Unlock()
	if restricted && !Allows(roles, action, scope) {
		return false
	}
	d.granted(need{action, scope})
	return true
}

func (d *Directory) granted(needs ...need) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range needs {
		d.done[Need{n.action, Level(n.scope)}]++
	}
}

// permit refuses what the caller may not do. It comes before everything that would tell him what there is.
func (d *Directory) permit(c *arm.Call) error {
	own := need{Action(c.Method, c.Route.Template), scopeOf(c)}
	links := linked(c)
	if free(c) {
		return nil
	}
	caller, restricted := d.who(c)
	if restricted && !visible(c, caller) {
		if !Allows(caller.Roles, own.action, own.scope) {
			return arm.Refuse(http.StatusForbidden, "AuthorizationFailed",
				"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
				caller.Name, caller.ObjectID, own.action, own.scope)
		}
		for _, l := range links {
			if !Allows(caller.Roles, l.action, l.scope) {
				return arm.Refuse(http.StatusForbidden, "LinkedAuthorizationFailed",
					"The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; however, it does not have permission to perform action '%s' on the linked scope(s) '%s' or the linked scope(s) are invalid.",
					caller.Name, caller.ObjectID, own.action, own.scope, l.action, l.scope)
			}
		}
	}
	d.granted(append(links, own)...)
	return nil
}

// free reports what needs no permission: the progress of operations, whose address is the permission,
// and one's own permissions.
func free(c *arm.Call) bool {
	t := strings.ToLower(c.Route.Template)
	for _, part := range []string{"operations/{", "operationresults/{", "operationstatuses/{", "microsoft.authorization/permissions"} {
		if strings.Contains(t, part) {
			return true
		}
	}
	return false
}

// visible reports what everybody who has any role sees: tenants, and the subscription. Lists of groups
// and resources leave out what the caller may not see, which filter does.
func visible(c *arm.Call, caller Caller) bool {
	if c.Method != http.MethodGet {
		return false
	}
	switch strings.ToLower(c.Route.Template) {
	case "/tenants", "/subscriptions":
		return true
	case "/subscriptions/{subscriptionid}", "/subscriptions/{subscriptionid}/resourcegroups", "/subscriptions/{subscriptionid}/resources":
		return len(caller.Roles) > 0
	}
	return false
}

// filter leaves out of a list of resources what the caller may not do action to; "" means to read.
func (d *Directory) filter(c *arm.Call, action string, list []any) []any {
	caller, restricted := d.who(c)
	if !restricted {
		return list
	}
	kept := []any{}
	for _, r := range list {
		needed := action
		if needed == "" {
			needed = azjson.Str(r, "type") + "/read"
		}
		if Allows(caller.Roles, needed, azjson.Str(r, "id")) {
			kept = append(kept, r)
		}
	}
	return kept
}

// permissions lists what the caller may do at a scope, one entry per role that reaches it.
func (d *Directory) permissions(c *arm.Call) (*arm.Reply, error) {
	caller, restricted := d.who(c)
	scope := c.Param("scope")
	if id, err := resourceid.Parse(scope); err == nil && id.Group != "" {
		if d.s.Find("/subscriptions/"+id.Subscription+"/resourceGroups/"+id.Group) == nil && !restricted {
			return nil, arm.GroupNotFound(id.Group)
		}
	}
	if !restricted {
		caller.Roles = []Role{{Scope: "/", Actions: []string{"*"}}}
	}
	l := []any{}
	for _, r := range caller.Roles {
		if within(scope, r.Scope) {
			l = append(l, azjson.Object{"actions": list(r.Actions), "notActions": list(r.NotActions), "dataActions": []any{}, "notDataActions": []any{}})
		}
	}
	return c.Page(l), nil
}

func list(words []string) []any {
	l := make([]any, len(words))
	for i, w := range words {
		l[i] = w
	}
	return l
}
