package network

import (
	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
)

// childKind is a kind of part that a resource has in a list, and that has a path of its own: the subnets and peerings
// of a network, the rules of a security group.
type childKind struct {
	list   string // its name in the parent's properties
	param  string // of the path: the child's name
	parent func(*arm.Call) (*arm.Resource, error)
	// build judges a child beside its siblings and completes it.
	build func(c *arm.Call, parent *arm.Resource, siblings []any, o azjson.Object) error
	view  func(parent *arm.Resource, o azjson.Object) // adds to a copy what is only shown; nil: nothing
}

// putChild puts one child into its parent, which is then busy for a while.
func (p *Provider) putChild(k childKind) func(*arm.Call) (*arm.Reply, error) {
	return func(c *arm.Call) (*arm.Reply, error) {
		parent, err := k.parent(c)
		if err != nil {
			return nil, err
		}
		if err := c.NeedBody(); err != nil {
			return nil, err
		}
		if op := p.s.Current(parent.ID); op != nil {
			return nil, p.inProgress(op)
		}
		azjson.WithoutNulls(c.Body)
		list := azjson.List(parent.Body, "properties", k.list)
		old, at := find(list, c.Param(k.param))
		if err := c.Match(old != nil, azjson.Str(old, "etag")); err != nil {
			return nil, err
		}
		o := c.Body
		o["name"] = c.Param(k.param)
		var siblings []any
		for i, e := range list {
			if i != at {
				siblings = append(siblings, e)
			}
		}
		if err := k.build(c, parent, siblings, o); err != nil {
			return nil, err
		}
		rep := arm.Created(nil)
		if old != nil {
			rep = arm.OK(nil)
			list[at] = o
		} else {
			list = append(list, o)
		}
		parent.Props()[k.list] = list
		parent.Retag()
		setState(parent, "Updating")
		p.s.Touch(parent)
		c.Async(rep, p.s.Begin("network.put", parent.ID, parent.Location(), nil), polling.Network())
		shown := azjson.Clone(o)
		if k.view != nil {
			k.view(parent, shown)
		}
		rep.Body = shown
		return rep, nil
	}
}
