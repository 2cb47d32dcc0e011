package resources

import (
	"encoding/json"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

const deploymentType = "Microsoft.Resources/deployments"

func (p *provider) deployments() {
	s, v := p.s, append(versions(), "2026-06-01")
	s.Register(&arm.Type{Name: deploymentType, Versions: v, Unlisted: true, Rank: 99})
	s.RegisterKind("deployment", arm.Kind{Finish: p.deploy})
	s.RegisterKind("deployment.delete", arm.Kind{Empty: http.StatusNoContent, Finish: func(op *arm.Operation, _ error) (time.Duration, error) {
		if d := s.Find(op.Target); d != nil {
			s.Forget(d)
		}
		return 0, nil
	}})
	const in = "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}/providers/Microsoft.Resources/deployments"
	const one = in + "/{deploymentName}"
	s.Handle(http.MethodPut, one, v, p.putDeployment)
	s.Handle(http.MethodPost, one+"/validate", v, p.validateDeployment)
	s.Handle(http.MethodGet, in, v, func(c *arm.Call) (*arm.Reply, error) {
		var l []*arm.Resource
		for _, r := range s.OfType(deploymentType) {
			if azjson.Fold(r.Group(), c.Group()) {
				l = append(l, r)
			}
		}
		return c.Page(s.Views(l)), nil
	})
	s.Handle(http.MethodGet, one, v, func(c *arm.Call) (*arm.Reply, error) {
		d, err := p.deployment(c)
		if err != nil {
			return nil, err
		}
		return arm.OK(s.View(d)), nil
	})
	s.Handle(http.MethodDelete, one, v, func(c *arm.Call) (*arm.Reply, error) {
		d, err := p.deployment(c)
		if err != nil {
			return arm.Status(http.StatusNoContent), nil
		}
		if s.Current(d.ID) != nil {
			return nil, p.active(c)
		}
		return c.Async(arm.Status(http.StatusAccepted), s.Begin("deployment.delete", d.ID, "", nil), polling.Groups()), nil
	})
	s.Handle(http.MethodPost, one+"/cancel", v, func(c *arm.Call) (*arm.Reply, error) {
		d, err := p.deployment(c)
		if err != nil {
			return nil, err
		}
		op := s.Current(d.ID)
		if op == nil {
			return nil, arm.Conflict("DeploymentCannotBeCancelled", "The deployment '%s' cannot be cancelled because it is not running.", d.Name())
		}
		s.Preempt(d.ID)
		p.conclude(d, "Canceled", op.Start)
		return arm.Status(http.StatusNoContent), nil
	})
	s.Handle(http.MethodGet, one+"/operationStatuses/{operationId}", v, func(c *arm.Call) (*arm.Reply, error) {
		op := s.Operation(c.Param("operationId"))
		if op == nil {
			return nil, arm.Refuse(http.StatusNotFound, "DeploymentOperationNotFound", "The deployment operation '%s' could not be found.", c.Param("operationId"))
		}
		o := op.Object(true)
		rep := arm.OK(o)
		if !op.Done() {
			o["status"] = "Running"
			p.hasten(rep)
		}
		return rep, nil
	})
	s.Handle(http.MethodGet, one+"/operations", v, p.deploymentOperations)
	// As the specification has it: the provider is not in this path.
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}/deployments/{deploymentName}/operations", v, p.deploymentOperations)
}

func (p *provider) deployment(c *arm.Call) (*arm.Resource, error) {
	if d := p.s.Find(c.ID("Microsoft.Resources", "deployments", c.Param("deploymentName"))); d != nil {
		return d, nil
	}
	return nil, arm.Refuse(http.StatusNotFound, "DeploymentNotFound", "Deployment '%s' could not be found.", c.Param("deploymentName"))
}

// active refuses to touch a deployment that is under way.
func (p *provider) active(c *arm.Call) error {
	return arm.Conflict("DeploymentActive", "Unable to edit or replace deployment '%s': previous deployment from '%s' is still active. Please see https://aka.ms/arm-deploy for usage details.", c.Param("deploymentName"), arm.Time(c.Now))
}

// conclude shows a deployment that began at start as ended.
func (p *provider) conclude(d *arm.Resource, state string, start time.Time) {
	props := d.Props()
	props["provisioningState"], props["timestamp"], props["duration"] = state, stamp(p.s.Now()), lasted(start, p.s.Now())
	p.s.Touch(d)
}

func (p *provider) putDeployment(c *arm.Call) (*arm.Reply, error) {
	steps, outputs, err := p.expand(c)
	if err != nil {
		return nil, err
	}
	id := c.ID("Microsoft.Resources", "deployments", c.Param("deploymentName"))
	if p.s.Current(id) != nil {
		return nil, p.active(c)
	}
	old := p.s.Find(id)
	d := &arm.Resource{ID: id, Type: deploymentType, Body: azjson.Object{"id": id, "name": c.Param("deploymentName"), "type": deploymentType}}
	d.Body["properties"] = p.deploymentProperties(c, steps, "Accepted")
	p.s.Add(d)
	op := p.s.Begin("deployment", id, "", azjson.Object{"steps": steps, "outputs": outputs, "scope": azjson.Object{
		"parameters": publicParameters(c.Body), "variables": azjson.Get(c.Body, "properties", "template", "variables"),
	}})
	rep := arm.Created(p.s.View(d))
	if old != nil {
		rep = arm.OK(rep.Body)
	}
	rep.With("Azure-Asyncoperation", c.Absolute("/subscriptions/"+p.s.Options().SubscriptionID+"/resourcegroups/"+d.Group()+"/providers/Microsoft.Resources/deployments/"+d.Name()+"/operationStatuses/"+op.ID+"?api-version="+c.Version))
	p.hasten(rep)
	return rep, nil
}

// hasten tells clients of a hasty server to ask again soon. Azure says nothing, which clients take for half a minute.
func (p *provider) hasten(rep *arm.Reply) {
	if p.s.Options().Hasty {
		rep.With("Retry-After", "1").With("Retry-After-Ms", "20")
	}
}

func (p *provider) deploymentProperties(c *arm.Call, steps []any, state string) azjson.Object {
	shown := azjson.Object{}
	for k, v := range publicParameters(c.Body) {
		shown[k] = azjson.Object{"type": typeName(azjson.Str(c.Body, "properties", "template", "parameters", k, "type")), "value": v}
	}
	props := azjson.Object{
		"templateHash": templateHash(azjson.Map(c.Body, "properties", "template")), "mode": "Incremental", "provisioningState": state,
		"timestamp": stamp(c.Now), "duration": "PT0S", "correlationId": uuid.NewString(), "parameters": shown, "dependencies": dependencies(steps),
	}
	byNamespace := map[string][]any{}
	seen := map[string]bool{}
	for _, e := range steps {
		id, err := resourceid.Parse(azjson.Str(e, "id"))
		if err == nil && !seen[id.Type()] {
			seen[id.Type()] = true
			_, typ := cut(id.Type())
			byNamespace[id.Namespace] = append(byNamespace[id.Namespace], azjson.Object{"resourceType": typ, "locations": []any{azjson.Str(e, "body", "location")}})
		}
	}
	providers := []any{}
	for _, ns := range sortedKeys(byNamespace) {
		providers = append(providers, azjson.Object{"namespace": ns, "resourceTypes": byNamespace[ns]})
	}
	props["providers"] = providers
	return props
}

func (p *provider) validateDeployment(c *arm.Call) (*arm.Reply, error) {
	steps, _, err := p.expand(c)
	if err != nil {
		return nil, err
	}
	props := p.deploymentProperties(c, steps, "Succeeded")
	var l []any
	for _, e := range steps {
		l = append(l, azjson.Object{"id": azjson.Str(e, "id")})
	}
	props["validatedResources"] = l
	id := c.ID("Microsoft.Resources", "deployments", c.Param("deploymentName"))
	return arm.OK(azjson.Object{"id": id, "name": c.Param("deploymentName"), "type": deploymentType, "properties": props}), nil
}

// deploy goes one step further in a deployment: it starts what has all it depends on, and looks at
// what was started. It asks to be called again until all is through.
func (p *provider) deploy(op *arm.Operation, _ error) (time.Duration, error) {
	d := p.s.Find(op.Target)
	if d == nil {
		return 0, nil
	}
	d.Props()["provisioningState"] = "Running"
	steps := azjson.List(op.Args, "steps")
	state := map[string]string{}
	for _, e := range steps {
		state[resourceid.Key(azjson.Str(e, "id"))] = azjson.Str(e, "state")
	}
	open, failed := 0, []*arm.Error(nil)
	for _, e := range steps {
		st := e.(azjson.Object)
		if st["state"] == "" {
			p.startStep(st, state)
		}
		if st["state"] == "running" {
			p.lookAtStep(st)
		}
		if st["ended"] == nil && (st["state"] == "done" || st["state"] == "failed") {
			st["ended"] = stamp(p.s.Now())
		}
		switch st["state"] {
		case "running":
			open++
		case "":
			open++
		case "failed":
			failed = append(failed, arm.Conflict(azjson.Str(st, "error", "code"), "%s", azjson.Str(st, "error", "message")).At(azjson.Str(st, "error", "target")))
		}
	}
	if open > 0 && failed == nil || running(steps) {
		return max(p.s.Options().Duration("deployment"), time.Millisecond), nil
	}
	outputs, context := azjson.Map(op.Args, "outputs"), azjson.Map(op.Args, "scope")
	op.Args = azjson.Object{} // may hold a password
	d.Hidden["operations"] = p.operationsOf(d, steps, failed == nil && len(outputs) > 0)
	if failed != nil {
		e := arm.Conflict("DeploymentFailed", "At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.")
		e.Details = failed
		d.Props()["error"] = e.Object()
		p.conclude(d, "Failed", op.Start)
		return 0, e
	}
	var ids []string
	for _, e := range steps {
		ids = append(ids, azjson.Str(e, "id"))
	}
	slices.Sort(ids)
	made := []any{}
	for _, id := range ids {
		made = append(made, azjson.Object{"id": id})
	}
	d.Props()["outputResources"] = made
	o, err := p.outputs(d, context, outputs)
	if err != nil {
		e := arm.BadRequest("DeploymentOutputEvaluationFailed", "Unable to evaluate template outputs: '%v'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details.", err)
		d.Props()["error"] = e.Object()
		p.conclude(d, "Failed", op.Start)
		return 0, e
	}
	d.Props()["outputs"] = o
	p.conclude(d, "Succeeded", op.Start)
	return 0, nil
}

func running(steps []any) bool {
	for _, e := range steps {
		if azjson.Str(e, "state") == "running" {
			return true
		}
	}
	return false
}

func (p *provider) startStep(st azjson.Object, state map[string]string) {
	for _, d := range azjson.List(st, "after") {
		id, _ := d.(string)
		if s, ok := state[resourceid.Key(id)]; ok && s != "done" {
			return
		}
	}
	id := azjson.Str(st, "id")
	if st["began"] == nil {
		st["began"] = stamp(p.s.Now())
	}
	_, err := p.s.Inner(http.MethodPut, id, azjson.Str(st, "version"), azjson.Clone(azjson.Map(st, "body")), p.s.Now())
	switch {
	case err != nil && (err.Code == "AnotherOperationInProgress" || err.Code == "RetryableError"):
		return // its turn comes
	case err != nil:
		st["state"], st["error"] = "failed", err.Object()
		return
	}
	st["state"] = "done"
	if op := p.s.Current(id); op != nil {
		st["state"], st["op"] = "running", op.ID
	} else if op := p.s.Current(resourceid.ParentOf(id)); op != nil {
		st["state"], st["op"] = "running", op.ID
	}
}

func (p *provider) lookAtStep(st azjson.Object) {
	op := p.s.Operation(azjson.Str(st, "op"))
	switch {
	case op == nil || op.Status == arm.Succeeded:
		st["state"] = "done"
	case op.Done():
		st["state"] = "failed"
		if op.Err != nil {
			st["error"] = op.Err.Object()
		}
	}
}

// stamp is how this provider writes times.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// typeName is a parameter's type as replies spell it.
func typeName(typ string) string {
	if typ == "" {
		return "String"
	}
	return strings.ToUpper(typ[:1]) + typ[1:]
}

// templateHash is a number that tells templates apart.
func templateHash(template azjson.Object) string {
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode(template) // a hash takes everything
	return strconv.FormatUint(h.Sum64(), 10)
}

// dependencies lists what waits for what in a deployment.
func dependencies(steps []any) []any {
	describe := func(id string) azjson.Object {
		parsed, err := resourceid.Parse(id)
		if err != nil {
			return azjson.Object{"id": id}
		}
		return azjson.Object{"id": id, "resourceType": parsed.Type(), "resourceName": strings.Join(parsed.Names, "/")}
	}
	l := []any{}
	for _, e := range steps {
		var on []any
		for _, d := range azjson.List(e, "after") {
			id, _ := d.(string)
			on = append(on, describe(id))
		}
		if on != nil {
			o := describe(azjson.Str(e, "id"))
			o["dependsOn"] = on
			l = append(l, o)
		}
	}
	return l
}
