// Package permission compares the actions that azlin's commands need with those that Azure grants the signed-in identity,
// and builds a role for the rest.
// It reads permissions and changes none.
package permission

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

//go:embed needs.yaml
var needsYAML []byte

// Need lists what one command needs: actions on its resource group, and actions on the subscription, which rights on the
// group do not include.
type Need struct {
	Command      string   `yaml:"command"`
	Group        []string `yaml:"group"`
	Subscription []string `yaml:"subscription"`

	Rarely []string `yaml:"rarely"` // on the group, and only in the case described by When
	When   string   `yaml:"when"`
}

// Needs returns the needs of azlin's commands, in the order of their help. Commands that need nothing in Azure are left out.
// A test compares it with the requests that the commands send.
func Needs() ([]Need, error) {
	var needs []Need
	if err := yaml.Unmarshal(needsYAML, &needs); err != nil {
		return nil, fmt.Errorf("read needs.yaml: %w", err)
	}
	return needs, nil
}

// Level is the scope at which an action is needed.
type Level string

// The levels of an action.
const (
	Group        Level = "group"
	Subscription Level = "subscription"
)

// Lack is an action that a command needs and the identity lacks.
type Lack struct {
	Action string `json:"action"`
	Level  Level  `json:"level"`
	Scope  string `json:"scope"` // the scope that was checked
}

// Finding is the result for one command.
type Finding struct {
	Command string   `json:"command"`
	Allowed bool     `json:"allowed"`
	Lacks   []Lack   `json:"lacks"`
	Rarely  []string `json:"rarely"` // also missing, but needed only when
	When    string   `json:"when,omitempty"`
}

// Report is the result of Check.
type Report struct {
	SubscriptionScope string    `json:"subscription_scope"`
	GroupScope        string    `json:"group_scope"` // without a group, the subscription's
	Commands          []Finding `json:"commands"`
}

// Missing lists every action missing at a level, without duplicates.
func (r Report) Missing(l Level) []string {
	var all []string
	for _, f := range r.Commands {
		for _, lack := range f.Lacks {
			if lack.Level == l {
				all = append(all, lack.Action)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Lacking is the report without the commands that lack nothing.
func (r Report) Lacking() Report {
	r.Commands = slices.DeleteFunc(slices.Clone(r.Commands), func(f Finding) bool { return f.Allowed })
	return r
}

// Check reports for each command (none: all) what the identity of c lacks to run it in a resource group. Without a group,
// and for one that does not exist yet, the subscription's permissions apply, as in Azure. It sends one request, and a second
// for a group.
func Check(ctx context.Context, c *azure.Client, group string, commands ...string) (Report, error) {
	needs, err := choose(commands)
	if err != nil {
		return Report{}, err
	}
	sub := "/subscriptions/" + c.SubscriptionID()
	r := Report{SubscriptionScope: sub, GroupScope: sub, Commands: []Finding{}}
	onSubscription, err := List(ctx, c, sub)
	if err != nil {
		return Report{}, err
	}
	onGroup := onSubscription
	if group != "" {
		scope := sub + "/resourceGroups/" + group
		switch rules, err := List(ctx, c, scope); {
		case azure.IsNotFound(err): // a new group will inherit the subscription's permissions
		case err != nil:
			return Report{}, err
		default:
			r.GroupScope, onGroup = scope, rules
		}
	}
	for _, n := range needs {
		f := Finding{Command: n.Command, Lacks: []Lack{}, Rarely: []string{}}
		f.add(Group, r.GroupScope, n.Group, onGroup)
		f.add(Subscription, r.SubscriptionScope, n.Subscription, onSubscription)
		f.Allowed = len(f.Lacks) == 0
		for _, a := range n.Rarely {
			if !Allows(onGroup, a) {
				f.Rarely, f.When = append(f.Rarely, a), n.When
			}
		}
		r.Commands = append(r.Commands, f)
	}
	return r, nil
}

func (f *Finding) add(l Level, scope string, actions []string, rules []Rule) {
	for _, a := range actions {
		if !Allows(rules, a) {
			f.Lacks = append(f.Lacks, Lack{Action: a, Level: l, Scope: scope})
		}
	}
}

// choose returns the needs of the named commands.
func choose(commands []string) ([]Need, error) {
	all, err := Needs()
	if err != nil || len(commands) == 0 {
		return all, err
	}
	var some []Need
	for _, name := range commands {
		i := slices.IndexFunc(all, func(n Need) bool { return n.Command == name })
		if i < 0 {
			return nil, errkind.New(errkind.Invalid, "%q is not a command that needs permissions; there are: %s", name, strings.Join(names(all), ", "))
		}
		some = append(some, all[i])
	}
	return some, nil
}

func names(needs []Need) []string {
	l := make([]string, len(needs))
	for i, n := range needs {
		l[i] = n.Command
	}
	return l
}

// Role is a custom role in the format of az role definition create --role-definition.
type Role struct {
	Name             string   `json:"Name"`
	IsCustom         bool     `json:"IsCustom"`
	Description      string   `json:"Description"`
	Actions          []string `json:"Actions"`
	NotActions       []string `json:"NotActions"`
	DataActions      []string `json:"DataActions"`
	NotDataActions   []string `json:"NotDataActions"`
	AssignableScopes []string `json:"AssignableScopes"`
}

// LeastRole is the role with exactly what the commands (none: all) need at the levels. It can be assigned at scope, an id;
// with level Group and a subscription as scope, it applies to every group.
func LeastRole(scope string, commands []string, levels ...Level) (Role, error) {
	needs, err := choose(commands)
	if err != nil {
		return Role{}, err
	}
	role := Role{
		Name: "azlin", IsCustom: true, NotActions: []string{}, DataActions: []string{}, NotDataActions: []string{},
		AssignableScopes: []string{scope}, Actions: []string{},
	}
	if len(levels) == 1 {
		role.Name += " " + string(levels[0])
	}
	var of []string
	for _, n := range needs {
		var actions []string
		if slices.Contains(levels, Group) {
			actions = append(actions, n.Group...)
		}
		if slices.Contains(levels, Subscription) {
			actions = append(actions, n.Subscription...)
		}
		if len(actions) > 0 {
			of = append(of, n.Command)
		}
		role.Actions = append(role.Actions, actions...)
	}
	slices.SortFunc(role.Actions, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	role.Actions = slices.Compact(role.Actions)
	role.Description = "What these commands need: azlin " + strings.Join(of, ", ")
	return role, nil
}
