package resources

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
)

// deploymentOperations answers with what a deployment did. Of one that is under way, there is nothing yet.
func (p *provider) deploymentOperations(c *arm.Call) (*arm.Reply, error) {
	d, err := p.deployment(c)
	if err != nil {
		return nil, err
	}
	var l []any
	for _, e := range arm.List(d.Hidden, "operations") {
		l = append(l, arm.Clone(e))
	}
	return c.Page(l), nil
}

// operationsOf lists what a deployment did, each with an id of its own: one for every resource, and one for the outputs.
func (p *provider) operationsOf(d *arm.Resource, steps []any, evaluated bool) []any {
	var l []any
	add := func(id string, props arm.Object) {
		props["trackingId"] = uuid.NewString()
		l = append(l, arm.Object{"id": d.ID + "/operations/" + id, "operationId": id, "properties": props})
	}
	for _, e := range steps {
		id := arm.Str(e, "id")
		parsed, err := arm.ParseID(id)
		if err != nil {
			continue
		}
		props := arm.Object{
			"provisioningOperation": "Create", "provisioningState": "Succeeded", "timestamp": arm.Str(e, "ended"),
			"duration": lasted(at(arm.Str(e, "began")), at(arm.Str(e, "ended"))), "statusCode": "OK", "serviceRequestId": uuid.NewString(),
			"targetResource": arm.Object{"id": id, "resourceType": parsed.Type(), "resourceName": parsed.Name()},
		}
		switch arm.Str(e, "state") {
		case "failed":
			props["provisioningState"], props["statusCode"] = "Failed", "Conflict"
			props["statusMessage"] = arm.Object{"status": "Failed", "error": arm.Get(e, "error")}
		case "":
			continue
		}
		add(strings.ToUpper(strings.ReplaceAll(uuid.NewString(), "-", "")[:16]), props)
	}
	if evaluated {
		add(fmt.Sprintf("%020d", p.s.Now().UnixNano()), arm.Object{
			"provisioningOperation": "EvaluateDeploymentOutput", "provisioningState": "Succeeded", "timestamp": stamp(p.s.Now()),
			"duration": lasted(p.s.Now(), p.s.Now()), "statusCode": "OK",
		})
	}
	return l
}

// at reads what stamp has written.
func at(text string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, text) // the zero time, if there is none
	return t
}

// lasted is a time span as this provider writes it.
func lasted(from, to time.Time) string {
	return "PT" + strconv.FormatFloat(to.Sub(from).Seconds(), 'f', -1, 64) + "S"
}
