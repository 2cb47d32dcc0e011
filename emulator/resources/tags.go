package resources

import (
	"net/http"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

const tagsPath = "/{scope}/providers/Microsoft.Resources/tags/default"

func (p *provider) tags() {
	s, v := p.s, versions()
	s.Handle(http.MethodGet, tagsPath, v, p.onTags(func(c *arm.Call, r *arm.Resource) error { return nil }))
	s.Handle(http.MethodPut, tagsPath, v, p.onTags(func(c *arm.Call, r *arm.Resource) error {
		return p.setTags(r, azjson.Map(c.Body, "properties", "tags"))
	}))
	s.Handle(http.MethodPatch, tagsPath, v, p.onTags(p.patchTags))
	s.Handle(http.MethodDelete, tagsPath, v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.scope(c)
		if err != nil {
			return nil, err
		}
		return arm.Status(http.StatusOK), p.setTags(r, azjson.Object{})
	})
}

// scope finds what the tags are on.
func (p *provider) scope(c *arm.Call) (*arm.Resource, error) {
	scope := c.Param("scope")
	id, err := resourceid.Parse(scope)
	if err != nil {
		return nil, arm.BadRequest("InvalidScope", "The scope '%s' is invalid.", scope)
	}
	if id.Group == "" && id.Namespace == "" {
		return p.self(), nil
	}
	if r := p.s.Find(scope); r != nil {
		return r, nil
	}
	if p.s.Find("/subscriptions/"+id.Subscription+"/resourceGroups/"+id.Group) == nil {
		return nil, arm.GroupNotFound(id.Group)
	}
	return nil, arm.NotFound(id)
}

func (p *provider) onTags(f func(c *arm.Call, r *arm.Resource) error) arm.Handler {
	return func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.scope(c)
		if err != nil {
			return nil, err
		}
		if c.Method != http.MethodGet {
			if err := c.NeedBody(); err != nil {
				return nil, err
			}
		}
		if err := f(c, r); err != nil {
			return nil, err
		}
		tags := azjson.Clone(azjson.Map(r.Body, "tags"))
		if tags == nil {
			tags = azjson.Object{}
		}
		return arm.OK(azjson.Object{
			"id": r.ID + "/providers/Microsoft.Resources/tags/default", "name": "default",
			"type": "Microsoft.Resources/tags", "properties": azjson.Object{"tags": tags},
		}), nil
	}
}

func (p *provider) patchTags(c *arm.Call, r *arm.Resource) error {
	given := azjson.Map(c.Body, "properties", "tags")
	tags := azjson.Clone(azjson.Map(r.Body, "tags"))
	if tags == nil {
		tags = azjson.Object{}
	}
	switch op := azjson.Str(c.Body, "operation"); {
	case azjson.Fold(op, "Replace"):
		tags = given
	case azjson.Fold(op, "Merge"):
		for k, v := range given {
			tags[spelling(tags, k)] = v
		}
	case azjson.Fold(op, "Delete"):
		for k, v := range given {
			if have := spelling(tags, k); v == nil || tags[have] == v {
				delete(tags, have)
			}
		}
	default:
		return arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: 'operation is %q, not Merge, Replace or Delete'.", op)
	}
	return p.setTags(r, tags)
}

// spelling is the name that a tag already has: names do not depend on case.
func spelling(tags azjson.Object, name string) string {
	for k := range tags {
		if azjson.Fold(k, name) {
			return k
		}
	}
	return name
}

func (p *provider) setTags(r *arm.Resource, tags azjson.Object) error {
	if err := arm.CheckTags(tags); err != nil {
		return err
	}
	if tags == nil {
		tags = azjson.Object{}
	}
	r.Body["tags"] = azjson.Clone(tags)
	if t := p.s.Type(r.Type); t != nil && t.Tagged != nil {
		t.Tagged(r)
	} else if r.Etag() != "" {
		r.Retag()
	}
	p.s.Touch(r)
	return nil
}
