package manageddisk

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// serveAccess adds the routes that give out a shared access signature for a disk or snapshot, and take it back. Nothing
// can be read with it here: it is the state that counts.
func (p *Disks) serveAccess(one, short, param string) {
	v := schema.DiskVersions()
	accessible := func(c *arm.Call) (*arm.Resource, error) {
		id := c.ID("Microsoft.Compute", short, c.Param(param))
		if d := p.s.Find(id); d != nil {
			return d, nil
		}
		parsed, err := resourceid.Parse(id)
		if err != nil {
			return nil, err
		}
		return nil, arm.NotFound(parsed)
	}
	p.s.Handle(http.MethodPost, one+"/beginGetAccess", v, func(c *arm.Call) (*arm.Reply, error) {
		d, err := accessible(c)
		if err != nil {
			return nil, err
		}
		if err := c.NeedBody(); err != nil {
			return nil, err
		}
		access := azjson.Str(c.Body, "access")
		if !azjson.Fold(access, "Read") && !azjson.Fold(access, "Write") && !azjson.Fold(access, "None") {
			return nil, arm.InvalidParameter("grantAccessData.access", "The value '%s' of parameter 'grantAccessData.access' is invalid.", access)
		}
		seconds, ok := azjson.Int(c.Body, "durationInSeconds")
		if !ok || seconds < 1 || seconds > 1<<32-1 {
			return nil, arm.InvalidParameter("grantAccessData.durationInSeconds", "Required parameter 'grantAccessData.durationInSeconds' is missing or out of range.")
		}
		if by := azjson.Str(d.Body, "managedBy"); by != "" {
			if vm := p.s.FindType(schema.VMType, by); vm != nil && !p.released(vm) {
				return nil, arm.Conflict("Conflict", "Access not permitted because disk %s is currently attached to running VM %s.", d.Name(), by)
			}
		}
		return c.Async(arm.Status(http.StatusAccepted), p.s.Begin("disk.access", d.ID, d.Location(), azjson.Object{"give": true}), polling.Disks().Silent()), nil
	})
	p.s.Handle(http.MethodPost, one+"/endGetAccess", v, func(c *arm.Call) (*arm.Reply, error) {
		d, err := accessible(c)
		if err != nil {
			return nil, err
		}
		return c.Async(arm.Status(http.StatusAccepted), p.s.Begin("disk.access", d.ID, d.Location(), azjson.Object{"give": false}), polling.Disks().Silent()), nil
	})
}

func (p *Disks) accessKind() arm.Kind {
	return arm.Kind{Finish: func(op *arm.Operation, _ error) (time.Duration, error) {
		d := p.s.Find(op.Target)
		if d == nil {
			return 0, nil
		}
		if azjson.Bool(op.Args, "give") {
			d.Props()["diskState"] = "ActiveSAS"
			op.Output = azjson.Object{"accessSAS": "https://md-" + uuid.NewString()[:12] + ".z1.blob.storage.azure.net/" + uuid.NewString()[:12] + "/abcd?sv=2018-03-28&sr=b&si=" + uuid.NewString() + "&sig=none"}
		} else {
			state := "Unattached"
			if azjson.Str(d.Body, "managedBy") != "" {
				state = "Reserved"
			}
			d.Props()["diskState"] = state
		}
		p.s.Touch(d)
		return 0, nil
	}}
}

// outstanding refuses what a signature that was given out keeps from happening.
func outstanding(d *arm.Resource) *arm.Error {
	if azjson.Str(d.Body, "properties", "diskState") == "ActiveSAS" {
		return arm.Conflict("OperationNotAllowed", "There is an active shared access signature outstanding for disk %s. Call EndGetAccess on the disk before attaching or deleting the disk.", d.Name())
	}
	return nil
}
