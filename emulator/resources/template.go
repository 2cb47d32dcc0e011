package resources

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
)

func cut(typ string) (namespace, rest string) {
	namespace, rest, _ = strings.Cut(typ, "/")
	return namespace, rest
}

func invalidTemplate(format string, args ...any) error {
	return arm.BadRequest("InvalidTemplate", "Deployment template validation failed: '%s'.", fmt.Sprintf(format, args...))
}

// parameters are the values of a template's parameters: those given, else the defaults.
func parameters(body arm.Object, secure bool) (arm.Object, error) {
	out := arm.Object{}
	given := arm.Map(body, "properties", "parameters")
	for k, v := range arm.Map(body, "properties", "template", "parameters") {
		typ := strings.ToLower(arm.Str(v, "type"))
		if !secure && strings.HasPrefix(typ, "secure") {
			continue
		}
		if g, ok := member(given, k).(arm.Object); ok {
			out[k] = g["value"]
		} else if o, ok := v.(arm.Object); ok {
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
func publicParameters(body arm.Object) arm.Object {
	o, err := parameters(body, false)
	if err != nil {
		return arm.Object{}
	}
	return o
}

func (p *provider) scopeOf(group *arm.Resource, params, variables arm.Object) *scope {
	o := p.s.Options()
	return &scope{
		parameters: params, variables: variables,
		group:        arm.Object{"id": group.ID, "name": group.Name(), "location": group.Location(), "tags": group.Body["tags"]},
		subscription: arm.Object{"id": "/subscriptions/" + o.SubscriptionID, "subscriptionId": o.SubscriptionID, "tenantId": o.TenantID, "displayName": "Local emulator"},
	}
}

// expand turns a deployment's template into steps, one per resource, in the order of the template. It
// refuses what Azure's validation before a deployment refuses.
func (p *provider) expand(c *arm.Call) (steps []any, outputs any, err error) {
	if err := c.NeedBody(); err != nil {
		return nil, nil, err
	}
	props := arm.Map(c.Body, "properties")
	if mode := arm.Str(props, "mode"); !arm.Fold(mode, "Incremental") {
		return nil, nil, arm.NotImplemented(c.Method, "deployments in mode "+mode)
	}
	template := arm.Map(props, "template")
	if template == nil {
		return nil, nil, arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: 'a template is needed; template links are not emulated'.")
	}
	params, err := parameters(c.Body, true)
	if err != nil {
		return nil, nil, err
	}
	sc := p.scopeOf(p.group(c), params, arm.Map(template, "variables"))
	vars, err := sc.evaluate(arm.Map(template, "variables"))
	if err != nil {
		return nil, nil, invalidTemplate("%v", err)
	}
	sc.variables, _ = vars.(arm.Object)
	for _, e := range arm.List(template, "resources") {
		o, ok := e.(arm.Object)
		if !ok {
			return nil, nil, invalidTemplate("resources must be a list of objects")
		}
		count := 1
		if n, ok := arm.Int(o, "copy", "count"); ok {
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
			steps = append(steps, st)
		}
	}
	return steps, template["outputs"], p.preflight(c, steps)
}

// step evaluates one resource of a template.
func (p *provider) step(c *arm.Call, sc *scope, raw arm.Object) (arm.Object, error) {
	v, err := sc.evaluate(raw)
	if err != nil {
		return nil, invalidTemplate("%v", err)
	}
	o := v.(arm.Object)
	typ, name := arm.Str(o, "type"), arm.Str(o, "name")
	id, err := idOf(p.s.Options().SubscriptionID, p.group(c).Name(), typ, strings.Split(name, "/"))
	if err != nil {
		return nil, invalidTemplate("The template resource '%s' of type '%s' is not valid: %v", name, typ, err)
	}
	var after []any
	for _, d := range arm.List(o, "dependsOn") {
		s, _ := d.(string)
		after = append(after, dependency(p, c, s))
	}
	body := arm.Object{}
	for k, v := range o {
		switch k {
		case "apiVersion", "type", "name", "dependsOn", "copy", "comments", "condition", "scope":
		default:
			body[k] = v
		}
	}
	arm.WithoutNulls(body)
	return arm.Object{"id": id, "version": arm.Str(o, "apiVersion"), "body": arm.Canonical(body), "after": after, "state": ""}, nil
}

// dependency is the id of what dependsOn names: an id, or type/name with further names after it.
func dependency(p *provider, c *arm.Call, s string) string {
	if strings.HasPrefix(s, "/") {
		return s
	}
	return p.group(c).ID + "/providers/" + s
}

// preflight asks the types whether they will refuse a resource, before any is made.
func (p *provider) preflight(c *arm.Call, steps []any) error {
	var refused []*arm.Error
	for _, e := range steps {
		id, err := arm.ParseID(arm.Str(e, "id"))
		if err != nil {
			return invalidTemplate("%v", err)
		}
		t := p.s.Type(id.Type())
		if t == nil && p.s.Type(strings.Join([]string{id.Namespace, id.Types[0]}, "/")) == nil {
			return invalidTemplate("The emulator has no resources of type %s", id.Type())
		}
		if t != nil && t.Preflight != nil {
			if e := t.Preflight(arm.Map(e, "body")); e != nil {
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
func (p *provider) outputs(d *arm.Resource, context arm.Object, outputs any) (arm.Object, error) {
	group := p.s.Find("/subscriptions/" + p.s.Options().SubscriptionID + "/resourceGroups/" + d.Group())
	out := arm.Object{}
	if group == nil {
		return out, nil
	}
	sc := p.scopeOf(group, arm.Map(context, "parameters"), arm.Map(context, "variables"))
	sc.reference = func(id string) arm.Object {
		if r := p.s.Find(id); r != nil {
			return arm.Map(p.s.View(r), "properties")
		}
		return nil
	}
	m, _ := outputs.(arm.Object)
	for k, v := range m {
		value, err := sc.evaluate(arm.Get(v, "value"))
		if err != nil {
			return nil, err
		}
		k = strings.ToLower(k[:min(1, len(k))]) + k[min(1, len(k)):] // as recorded: a NewNSG comes out as newNSG
		out[k] = arm.Object{"type": typeName(arm.Str(v, "type")), "value": value}
	}
	return out, nil
}
