package resources

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

func cut(typ string) (namespace, rest string) {
	namespace, rest, _ = strings.Cut(typ, "/")
	return namespace, rest
}

func invalidTemplate(format string, args ...any) error {
	return arm.BadRequest("InvalidTemplate", "Deployment template validation failed: '%s'.", fmt.Sprintf(format, args...))
}

// parameters are the values of a template's parameters: those given, else the defaults.
func parameters(body azjson.Object, secure bool) (azjson.Object, error) {
	out := azjson.Object{}
	given := azjson.Map(body, "properties", "parameters")
	for k, v := range azjson.Map(body, "properties", "template", "parameters") {
		typ := strings.ToLower(azjson.Str(v, "type"))
		if !secure && strings.HasPrefix(typ, "secure") {
			continue
		}
		if g, ok := member(given, k).(azjson.Object); ok {
			out[k] = g["value"]
		} else if o, ok := v.(azjson.Object); ok {
			d, has := o["defaultValue"]
			if !has {
				return nil, invalidTemplate("The value for the template parameter '%s' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.", k)
			}
			out[k] = d
		}
	}
	return out, nil
}

// publicParameters are the parameters that may be shown and kept.
func publicParameters(body azjson.Object) azjson.Object {
	o, err := parameters(body, false)
	if err != nil {
		return azjson.Object{}
	}
	return o
}

func (p *provider) scopeOf(group *arm.Resource, params, variables azjson.Object) *scope {
	o := p.s.Options()
	return &scope{
		parameters: params, variables: variables,
		group:        azjson.Object{"id": group.ID, "name": group.Name(), "location": group.Location(), "tags": group.Body["tags"]},
		subscription: azjson.Object{"id": "/subscriptions/" + o.SubscriptionID, "subscriptionId": o.SubscriptionID, "tenantId": o.TenantID, "displayName": "Local emulator"},
	}
}

// expand turns a deployment's template into steps, one per resource, in the order of the template. It
// refuses what Azure's validation before a deployment refuses.
func (p *provider) expand(c *arm.Call) (steps []any, outputs any, err error) {
	if err := c.NeedBody(); err != nil {
		return nil, nil, err
	}
	props := azjson.Map(c.Body, "properties")
	if mode := azjson.Str(props, "mode"); !azjson.Fold(mode, "Incremental") {
		return nil, nil, arm.NotImplemented(c.Method, "deployments in mode "+mode)
	}
	template := azjson.Map(props, "template")
	if template == nil {
		return nil, nil, arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: 'a template is needed; template links are not emulated'.")
	}
	params, err := parameters(c.Body, true)
	if err != nil {
		return nil, nil, err
	}
	sc := p.scopeOf(p.group(c), params, azjson.Map(template, "variables"))
	for k := range sc.variables {
		if _, err := sc.variable(k); err != nil {
			return nil, nil, invalidTemplate("%v", err)
		}
	}
	defined := map[string][]any{} // ids by what dependsOn may call them
	for _, e := range azjson.List(template, "resources") {
		o, ok := e.(azjson.Object)
		if !ok {
			return nil, nil, invalidTemplate("resources must be a list of objects")
		}
		count := 1
		if n, ok := azjson.Int(o, "copy", "count"); ok {
			count = n
		}
		if count < 0 || count > 800 {
			return nil, nil, invalidTemplate("a copy count of %d is not between 0 and 800", count)
		}
		for i := range count {
			sc.index = i
			st, err := p.step(c, sc, o)
			if err != nil {
				return nil, nil, err
			}
			id := azjson.Str(st, "id")
			for _, name := range []string{resourceid.Key(id), strings.ToLower(resourceid.NameOf(id)), strings.ToLower(azjson.Str(o, "copy", "name"))} {
				defined[name] = append(defined[name], id)
			}
			if st["left out"] == nil {
				steps = append(steps, st)
			}
		}
	}
	if err := ordered(steps, defined); err != nil {
		return nil, nil, err
	}
	sc.reference = func(string) any { return unknown{} }
	for _, v := range azjson.Map(template, "outputs") {
		if _, err := sc.evaluate(azjson.Get(v, "value")); err != nil {
			return nil, nil, invalidTemplate("%v", err)
		}
	}
	return steps, template["outputs"], p.preflight(c, steps)
}

// ordered finds what each step waits for, by ids and names of resources and names of their copies, and refuses circles.
func ordered(steps []any, defined map[string][]any) error {
	after := map[string][]any{}
	for _, e := range steps {
		st := e.(azjson.Object)
		var ids []any
		for _, d := range azjson.List(st, "after") {
			name, _ := d.(string)
			found := defined[resourceid.Key(name)]
			if !strings.Contains(name, "/") {
				found = defined[strings.ToLower(name)]
			}
			if found == nil {
				return invalidTemplate("The resource '%s' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details.", name)
			}
			ids = append(ids, found...)
		}
		st["after"] = ids
		after[resourceid.Key(azjson.Str(st, "id"))] = ids
	}
	state := map[string]int{} // 1: on the way, 2: done
	var follow func(id string) string
	follow = func(id string) string {
		key := resourceid.Key(id)
		switch state[key] {
		case 1:
			return id
		case 2:
			return ""
		}
		state[key] = 1
		for _, d := range after[key] {
			next, _ := d.(string)
			if at := follow(next); at != "" {
				return at
			}
		}
		state[key] = 2
		return ""
	}
	for _, e := range steps {
		if at := follow(azjson.Str(e, "id")); at != "" {
			return invalidTemplate("Circular dependency detected on resource: '%s'. Please see https://aka.ms/arm-syntax-resources for usage details.", at)
		}
	}
	return nil
}

// step evaluates one resource of a template.
func (p *provider) step(c *arm.Call, sc *scope, raw azjson.Object) (azjson.Object, error) {
	wanted, err := sc.evaluate(raw["condition"])
	if err != nil {
		return nil, invalidTemplate("%v", err)
	}
	out := raw["condition"] != nil && !truth(wanted)
	if out { // what it is made of may not be there
		raw = azjson.Object{"type": raw["type"], "name": raw["name"], "apiVersion": raw["apiVersion"]}
	}
	v, err := sc.evaluate(raw)
	if err != nil {
		return nil, invalidTemplate("%v", err)
	}
	o := v.(azjson.Object)
	typ, name := azjson.Str(o, "type"), azjson.Str(o, "name")
	if azjson.Str(o, "apiVersion") == "" {
		return nil, invalidTemplate("The template resource '%s' of type '%s' has no 'apiVersion'. Please see https://aka.ms/arm-syntax-resources for usage details.", name, typ)
	}
	id, err := idOf(p.s.Options().SubscriptionID, p.group(c).Name(), typ, strings.Split(name, "/"))
	if err != nil {
		return nil, invalidTemplate("The template resource '%s' of type '%s' is not valid: %v", name, typ, err)
	}
	var after []any
	for _, d := range azjson.List(o, "dependsOn") {
		s, _ := d.(string)
		after = append(after, dependency(p, c, s))
	}
	body := azjson.Object{}
	for k, v := range o {
		switch k {
		case "apiVersion", "type", "name", "dependsOn", "copy", "comments", "condition", "scope":
		default:
			body[k] = v
		}
	}
	azjson.WithoutNulls(body)
	st := azjson.Object{"id": id, "version": azjson.Str(o, "apiVersion"), "body": arm.Canonical(body), "after": after, "state": ""}
	if out {
		st["left out"] = true
	}
	return st, nil
}

// dependency is the id of what dependsOn names: an id, or type/name with further names after it. The name alone stays one.
func dependency(p *provider, c *arm.Call, s string) string {
	if strings.HasPrefix(s, "/") || !strings.Contains(s, "/") {
		return s
	}
	return p.group(c).ID + "/providers/" + s
}

// preflight asks the types whether they will refuse a resource, before any is made.
func (p *provider) preflight(c *arm.Call, steps []any) error {
	var refused []*arm.Error
	for _, e := range steps {
		id, err := resourceid.Parse(azjson.Str(e, "id"))
		if err != nil {
			return invalidTemplate("%v", err)
		}
		t := p.s.Type(id.Type())
		if t == nil && p.s.Type(strings.Join([]string{id.Namespace, id.Types[0]}, "/")) == nil {
			return invalidTemplate("The emulator has no resources of type %s", id.Type())
		}
		if t != nil && t.Preflight != nil {
			if e := t.Preflight(azjson.Map(e, "body")); e != nil {
				refused = append(refused, e)
			}
		}
	}
	if refused == nil {
		return nil
	}
	e := arm.BadRequest("InvalidTemplateDeployment", "The template deployment '%s' is not valid according to the validation procedure. The tracking id is '%s'. See inner errors for details.", c.Param("deploymentName"), uuid.NewString())
	e.Details = refused
	return e
}

// outputs evaluates a template's outputs once its resources are there.
func (p *provider) outputs(d *arm.Resource, context azjson.Object, outputs any) (azjson.Object, error) {
	group := p.s.Find("/subscriptions/" + p.s.Options().SubscriptionID + "/resourceGroups/" + d.Group())
	out := azjson.Object{}
	if group == nil {
		return out, nil
	}
	sc := p.scopeOf(group, azjson.Map(context, "parameters"), azjson.Map(context, "variables"))
	sc.reference = func(id string) any {
		if r := p.s.Find(id); r != nil {
			return azjson.Map(p.s.View(r), "properties")
		}
		return azjson.Object(nil)
	}
	m, _ := outputs.(azjson.Object)
	for k, v := range m {
		if when, err := sc.evaluate(azjson.Get(v, "condition")); err != nil || azjson.Get(v, "condition") != nil && !truth(when) {
			continue
		}
		var value any
		if !strings.HasPrefix(strings.ToLower(azjson.Str(v, "type")), "secure") {
			var err error
			if value, err = sc.evaluate(azjson.Get(v, "value")); err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
		}
		k = strings.ToLower(k[:min(1, len(k))]) + k[min(1, len(k)):] // as recorded: a NewNSG comes out as newNSG
		out[k] = azjson.Object{"type": typeName(azjson.Str(v, "type"))}
		if value != nil {
			azjson.Put(out, value, k, "value")
		}
	}
	return out, nil
}
