package resources

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// deploymentOperations answers with what a deployment did. Of one that is under way, there is nothing yet.
func (p *provider) deploymentOperations(c *arm.Call) (*arm.Reply, error) {
	d, err := p.deployment(c)
	if err != nil {
		return nil, err
	}
	var l []any
	for _, e := range azjson.List(d.Hidden, "operations") {
		l = append(l, azjson.Clone(e))
	}
	return c.Page(l), nil
}

// operationsOf lists what a deployment did, each with an id of its own: one for every resource, and one for the outputs.
func (p *provider) operationsOf(d *arm.Resource, steps []any, evaluated bool) []any {
	var l []any
	add := func(id string, props azjson.Object) {
		props["trackingId"] = uuid.NewString()
		l = append(l, azjson.Object{"id": d.ID + "/operations/" + id, "operationId": id, "properties": props})
	}
	for _, e := range steps {
		id := azjson.Str(e, "id")
		parsed, err := resourceid.Parse(id)
		if err != nil {
			continue
		}
		props := azjson.Object{
			"provisioningOperation": "Create", "provisioningState": "Succeeded", "timestamp": azjson.Str(e, "ended"),
			"duration": lasted(at(azjson.Str(e, "began")), at(azjson.Str(e, "ended"))), "statusCode": "OK", "serviceRequestId": uuid.NewString(),
			"targetResource": azjson.Object{"id": id, "resourceType": parsed.Type(), "resourceName": parsed.Name()},
		}
		switch azjson.Str(e, "state") {
		case "failed":
			props["provisioningState"], props["statusCode"] = "Failed", "Conflict"
			props["statusMessage"] = azjson.Object{"status": "Failed", "error": azjson.Get(e, "error")}
		case "":
			continue
		}
		add(strings.ToUpper(strings.ReplaceAll(uuid.NewString(), "-", "")[:16]), props)
	}
	if evaluated {
		add(fmt.Sprintf("%020d", p.s.Now().UnixNano()), azjson.Object{
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
