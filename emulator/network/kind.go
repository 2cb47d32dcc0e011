package network

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
)

// kind is what the resource types of the provider have in common.
type kind struct {
	typ   string // full type
	param string // placeholder of the name
	async bool   // a PUT takes time; else it is done when it is answered
	alone bool   // one write at a time
	fixed bool   // there is no PATCH for its tags
	// operation begins the names of the kinds of a resource's operations, .put and .delete. Nil: network.
	operation func(r *arm.Resource) string
	// prompt says that a PUT is done when it is answered, though it names an operation. Nil: none is.
	prompt func(r *arm.Resource) bool
	// build judges the body of a PUT and completes it. old is nil for a new resource.
	build func(c *arm.Call, r, old *arm.Resource) error
	// stored is called when the new body is in place. May be nil.
	stored func(r, old *arm.Resource)
}

func (k kind) begins(r *arm.Resource) string {
	if k.operation == nil {
		return "network"
	}
	return k.operation(r)
}

// serve adds a type's routes: get, put, patch (tags), delete and the two lists.
func (p *Provider) serve(k kind) {
	s, v := p.s, Versions()
	_, short, _ := strings.Cut(k.typ, "/")
	in := "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/" + short
	one := in + "/{" + k.param + "}"
	list := func(c *arm.Call) (*arm.Reply, error) {
		var l []*arm.Resource
		for _, r := range s.OfType(k.typ) {
			if g := c.Group(); g == "" || azjson.Fold(g, r.Group()) {
				l = append(l, r)
			}
		}
		return c.Page(s.Views(l)), nil
	}
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/providers/Microsoft.Network/"+short, v, list)
	s.Handle(http.MethodGet, in, v, list)
	s.Handle(http.MethodGet, one, v, func(c *arm.Call) (*arm.Reply, error) {
		r := s.Find(c.Path)
		if r == nil {
			return nil, c.NotFound()
		}
		return arm.OK(s.View(r)).With("Etag", r.Etag()), nil
	})
	s.Handle(http.MethodPut, one, v, func(c *arm.Call) (*arm.Reply, error) { return p.put(c, k) })
	if !k.fixed {
		s.Handle(http.MethodPatch, one, v, p.patch)
	}
	s.Handle(http.MethodDelete, one, v, func(c *arm.Call) (*arm.Reply, error) { return p.del(c, k) })
}

func (p *Provider) put(c *arm.Call, k kind) (*arm.Reply, error) {
	old := p.s.Find(c.Path)
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	if err := rule(k.typ).Check(c.Param(k.param)); err != nil && old == nil {
		return nil, err
	}
	if err := c.NeedLocation(k.typ); err != nil {
		return nil, err
	}
	if err := arm.CheckTags(c.Body["tags"]); err != nil {
		return nil, err
	}
	etag := ""
	if old != nil {
		etag = old.Etag()
		if old.Location() != azjson.Str(c.Body, "location") {
			return nil, arm.Conflict("InvalidResourceLocation", "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
				old.Name(), old.Location(), old.Group(), azjson.Str(c.Body, "location"))
		}
	}
	if err := c.Match(old != nil, etag); err != nil {
		return nil, err
	}
	if err := p.busy(k, old); err != nil {
		return nil, err
	}
	azjson.WithoutNulls(c.Body)
	_, short, _ := strings.Cut(k.typ, "/")
	r := &arm.Resource{ID: c.ID("Microsoft.Network", short, c.Param(k.param)), Type: k.typ, Body: c.Body}
	guid := uuid.NewString()
	if old != nil {
		r.ID, r.Hidden, r.Created = old.ID, old.Hidden, old.Created
		guid = azjson.Str(old.Body, "properties", "resourceGuid")
	}
	r.Body["id"], r.Body["name"], r.Body["type"] = r.ID, r.Name(), k.typ
	r.Props()["resourceGuid"] = guid
	if err := k.build(c, r, old); err != nil {
		return nil, err
	}
	r.Retag()
	return p.store(c, k, r, old), nil
}

// store puts a built resource into its place and answers the PUT.
func (p *Provider) store(c *arm.Call, k kind, r, old *arm.Resource) *arm.Reply {
	state, prompt := "Succeeded", k.prompt != nil && k.prompt(r)
	if k.async && !prompt {
		state = "Updating"
	}
	setState(r, state)
	p.s.Add(r)
	if k.stored != nil {
		k.stored(r, old)
	}
	rep := arm.Created(nil)
	if old != nil {
		rep = arm.OK(nil)
	}
	switch {
	case prompt:
		c.Async(rep, p.s.Begin("prompt.put", r.ID, r.Location(), nil), polling.NetworkPrompt())
	case k.async:
		c.Async(rep, p.s.Begin(k.begins(r)+".put", r.ID, r.Location(), nil), polling.Network())
	default:
		rep.With("Azure-Asyncnotification", "Enabled")
	}
	rep.Body = p.s.View(r)
	return p.identified(rep, r)
}

// patch is Microsoft.Network's UpdateTags: it replaces the tags and nothing else.
func (p *Provider) patch(c *arm.Call) (*arm.Reply, error) {
	r := p.s.Find(c.Path)
	if r == nil {
		return nil, c.NotFound()
	}
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	if err := c.Match(true, r.Etag()); err != nil {
		return nil, err
	}
	if err := arm.CheckTags(c.Body["tags"]); err != nil {
		return nil, err
	}
	if tags := azjson.Map(c.Body, "tags"); tags != nil {
		r.Body["tags"] = tags
	}
	r.Retag()
	p.s.Touch(r)
	return p.identified(arm.OK(p.s.View(r)).With("Azure-Asyncnotification", "Enabled"), r), nil
}

// identified adds what names the operation to those who run the service.
func (p *Provider) identified(rep *arm.Reply, r *arm.Resource) *arm.Reply {
	return rep.With("X-Ms-Operation-Identifier", "tenantId="+p.s.Options().TenantID+",objectId=/"+r.Location()+"/"+uuid.NewString())
}

func (p *Provider) del(c *arm.Call, k kind) (*arm.Reply, error) {
	r := p.s.Find(c.Path)
	if r == nil {
		return arm.Status(http.StatusNoContent), nil
	}
	if err := c.Match(true, r.Etag()); err != nil {
		return nil, err
	}
	if err := p.busy(k, r); err != nil {
		return nil, err
	}
	if e := p.s.Refused(r); e != nil {
		return nil, e
	}
	setState(r, "Deleting")
	op := p.s.Begin(k.begins(r)+".delete", r.ID, r.Location(), nil)
	return c.Async(arm.Status(http.StatusAccepted), op, polling.NetworkDelete()), nil
}

// busy refuses a second write to what takes one at a time.
func (p *Provider) busy(k kind, r *arm.Resource) error {
	if r == nil || !k.alone {
		return nil
	}
	if op := p.s.Current(r.ID); op != nil {
		return p.inProgress(op)
	}
	return nil
}

func (p *Provider) inProgress(op *arm.Operation) error {
	return arm.Conflict("AnotherOperationInProgress",
		"Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: https://management.azure.com/subscriptions/%s/providers/Microsoft.Network/locations/%s/operations/%s?api-version=2024-05-01.",
		p.s.Options().SubscriptionID, op.Location, op.ID).Empty()
}

func (p *Provider) operations() {
	put := arm.Kind{Finish: func(op *arm.Operation, _ error) (time.Duration, error) {
		if r := p.s.Find(op.Target); r != nil {
			setState(r, "Succeeded")
			switch {
			case azjson.Fold(r.Type, BastionType):
				r.Hidden["deployed"] = true
			case azjson.Fold(r.Type, PrivateEndpointType):
				p.connected(r)
			}
			p.s.Touch(r)
		}
		return 0, nil
	}}
	del := arm.Kind{Finish: func(op *arm.Operation, _ error) (time.Duration, error) {
		if r := p.s.Find(op.Target); r != nil {
			if e := p.s.Refused(r); e != nil {
				setState(r, "Succeeded") // taken into use meanwhile
				return 0, e
			}
			p.s.Remove(r)
		}
		return 0, nil
	}}
	for _, begins := range []string{"network", "bastion"} {
		p.s.RegisterKind(begins+".put", put)
		p.s.RegisterKind(begins+".delete", del)
	}
	p.s.RegisterKind("prompt.put", arm.Kind{Finish: func(*arm.Operation, error) (time.Duration, error) { return 0, nil }})
}

// setState sets the provisioning state of a resource and of the children in it.
func setState(r *arm.Resource, state string) {
	r.Props()["provisioningState"] = state
	if azjson.Fold(r.Type, BastionType) || azjson.Fold(r.Type, PrivateEndpointType) {
		state = "Succeeded" // as recorded: of the configuration or the connection, at once
	}
	lists := []string{"subnets", "securityRules", "defaultSecurityRules", "ipConfigurations", "virtualNetworkPeerings"}
	for _, child := range slices.Concat(lists, collections(), connections()) {
		for _, o := range azjson.List(r.Body, "properties", child) {
			if m, ok := o.(azjson.Object); ok && m["etag"] != nil {
				azjson.Put(m, state, "properties", "provisioningState")
				m["etag"] = r.Etag()
			}
		}
	}
}

// child completes an object that lives in its parent: id, type, etag.
func child(parent *arm.Resource, o azjson.Object, collection, typ string) {
	name := azjson.Str(o, "name")
	o["id"] = parent.ID + "/" + collection + "/" + name
	o["type"] = typ
	o["etag"] = parent.Etag()
	if azjson.Map(o, "properties") == nil {
		o["properties"] = azjson.Object{}
	}
	azjson.Put(o, "Succeeded", "properties", "provisioningState")
}

// find returns a member of a list of named objects and its index, or -1.
func find(list []any, name string) (azjson.Object, int) {
	for i, e := range list {
		if o, ok := e.(azjson.Object); ok && azjson.Fold(azjson.Str(o, "name"), name) {
			return o, i
		}
	}
	return nil, -1
}

// missing refuses a reference to what does not exist.
func missing(id, by string) *arm.Error {
	return arm.BadRequest("InvalidResourceReference",
		"Resource %s referenced by resource %s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.", id, by).Empty()
}

// unreadable refuses a value that is none of a type's.
func unreadable(value, typ string) *arm.Error {
	e := arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.")
	e.Details = []*arm.Error{{Code: "InvalidJson", Message: "Error converting value \"" + value + "\" to type 'Microsoft.WindowsAzure.Networking.Nrp.Frontend.Contract.Csm.Public." + typ + "'. Path 'sku.name'."}}
	return e
}
