package emulator

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// TagPolicy is what a policy of Azure says about tags. Names may end in * to mean all that begin so; they do
// not depend on case.
type TagPolicy struct {
	Name    string   `json:"name"`              // of definition and assignment, as refusals show it
	Types   []string `json:"types,omitempty"`   // resource types that it is about; empty: groups and all resources
	Deny    []string `json:"deny,omitempty"`    // tags that nobody may set: 403 RequestDisallowedByPolicy
	Require []string `json:"require,omitempty"` // tags that must be there: 403 RequestDisallowedByPolicy
	Remove  []string `json:"remove,omitempty"`  // tags that are taken away from what is written, without a word
}

// SetPolicies puts other policies in the place of those that are in force.
func (e *Emulator) SetPolicies(l []TagPolicy) { e.arm.Do(func() { e.policies = slices.Clone(l) }) }

// SetPolicies is Emulator.SetPolicies for the emulator that serves a directory. They last until that one ends.
func SetPolicies(ctx context.Context, dir string, l []TagPolicy) error {
	return control(ctx, dir, http.MethodPost, "policies", l, nil)
}

// police applies the policies to a write, before anything else happens to it.
func (e *Emulator) police(c *arm.Call) error {
	if len(e.policies) == 0 || c.Method != http.MethodPut && c.Method != http.MethodPatch || c.Body == nil {
		return nil
	}
	typ, name, holder := written(c)
	if typ == "" {
		return nil
	}
	tags := azjson.Map(holder, "tags")
	for _, p := range e.policies {
		if len(p.Types) > 0 && !slices.ContainsFunc(p.Types, func(t string) bool { return azjson.Fold(t, typ) }) {
			continue
		}
		for k := range tags {
			if named(p.Deny, k) {
				return e.disallowed(name, p)
			}
			if named(p.Remove, k) {
				delete(tags, k)
			}
		}
		// A PATCH without tags leaves those that there are; one with tags, as a PUT, says all of them.
		if c.Method == http.MethodPatch && (tags == nil || azjson.Fold(azjson.Str(c.Body, "operation"), "Merge")) {
			continue
		}
		for _, want := range p.Require {
			found := false
			for k := range tags {
				found = found || azjson.Fold(k, want)
			}
			if !found {
				return e.disallowed(name, p)
			}
		}
	}
	return nil
}

// written is what a write is about: the type and name of the resource, and the object that holds its tags. The
// type is "" for what has no tags.
func written(c *arm.Call) (typ, name string, holder azjson.Object) {
	path := c.Path
	scope, _, onTags := strings.Cut(strings.ToLower(path), "/providers/microsoft.resources/tags/")
	if onTags {
		if azjson.Fold(azjson.Str(c.Body, "operation"), "Delete") {
			return "", "", nil
		}
		path = path[:len(scope)]
	}
	id, err := resourceid.Parse(path)
	if err != nil || id.Group == "" {
		return "", "", nil
	}
	typ = id.Type()
	if t := c.Server.Type(typ); t == nil || t.Unlisted && id.Namespace != "" {
		return "", "", nil
	}
	if onTags {
		return typ, id.Name(), azjson.Map(c.Body, "properties")
	}
	return typ, id.Name(), c.Body
}

func named(list []string, tag string) bool {
	return slices.ContainsFunc(list, func(n string) bool {
		if begin, ok := strings.CutSuffix(n, "*"); ok {
			return len(tag) >= len(begin) && azjson.Fold(tag[:len(begin)], begin)
		}
		return azjson.Fold(n, tag)
	})
}

// disallowed is the refusal of Azure Policy, which comes from Azure Resource Manager itself.
func (e *Emulator) disallowed(resource string, p TagPolicy) error {
	at := "/subscriptions/" + subscriptionID + "/providers/Microsoft.Authorization/"
	assignment, definition := at+"policyAssignments/"+p.Name, at+"policyDefinitions/"+p.Name
	identifiers, err := json.Marshal([]any{map[string]any{
		"policyAssignment": map[string]any{"name": p.Name, "id": assignment}, "policyDefinition": map[string]any{"name": p.Name, "id": definition},
	}})
	if err != nil {
		return err
	}
	refused := arm.Refuse(http.StatusForbidden, "RequestDisallowedByPolicy", "Resource '%s' was disallowed by policy. Policy identifiers: '%s'.", resource, identifiers).At(resource)
	refused.Header = http.Header{"X-Ms-Failure-Cause": {"gateway"}}
	refused.Info = []any{azjson.Object{"type": "PolicyViolation", "info": azjson.Object{
		"policyAssignmentId": assignment, "policyAssignmentName": p.Name, "policyAssignmentDisplayName": p.Name, "policyAssignmentScope": "/subscriptions/" + subscriptionID,
		"policyDefinitionId": definition, "policyDefinitionName": p.Name, "policyDefinitionDisplayName": p.Name, "policyDefinitionEffect": "deny",
	}}}
	return refused
}

// late hides what was made only just now.
func late(c *arm.Call, lag time.Duration) error {
	if c.Method != http.MethodGet && c.Method != http.MethodHead {
		return nil
	}
	r := c.Server.Find(c.Path)
	if r == nil || c.Now.Sub(r.Created) >= lag {
		return nil
	}
	if id, err := resourceid.Parse(r.ID); err == nil && id.Namespace == "" {
		return arm.GroupNotFound(id.Group)
	}
	return c.NotFound()
}
