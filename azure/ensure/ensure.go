package ensure

import (
	"context"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Existing holds the properties that decide whether an existing resource may be used.
type Existing struct {
	ID, Location string
	Tags         map[string]*string
	State        string // the provisioning state; empty: it is neither awaited nor created again
}

// Resource is a resource that must exist. M is Azure's model of it.
type Resource[M any] struct {
	Kind string // for messages: "network security group"
	Name string
	ID   string

	Region string // required region; empty: any
	Advice string // what to do when the name belongs to somebody else: "choose another name"; empty: nothing

	Get    func(context.Context) (M, error)
	Read   func(*M) Existing
	Judge  func(*M) error                   // further conditions for using an existing one; nil: none
	Create func(context.Context) (M, error) // creates it and waits
	Delete func(context.Context) error      // deletes one whose creation failed; nil: it is used as it is

	Report func(step string) // may be nil
	Left   func(id string)   // called with the id before one of azlin's is used or created; may be nil
}

// Ensure returns the resource; made reports whether it was created. A resource that somebody else is creating is awaited.
// One whose creation failed is deleted and created again, because it cannot hold anything. One that azlin did not create, or
// in another region, is a Conflict and is not changed.
func Ensure[M any](ctx context.Context, c *azure.Client, r Resource[M]) (model M, made bool, err error) {
	state, err := Settle(ctx, c, "get "+r.Kind, r.Name, func(ctx context.Context) (string, error) {
		var err error
		if model, err = r.Get(ctx); err != nil {
			return "", err
		}
		return r.Read(&model).State, nil
	})
	switch {
	case azure.IsNotFound(err):
	case err != nil:
		return model, false, err
	default:
		if err := r.judge(&model); err != nil {
			return model, false, err
		}
		r.left(r.Read(&model).ID)
		if r.Delete == nil || !strings.EqualFold(state, "Failed") && !strings.EqualFold(state, "Canceled") {
			return model, false, nil
		}
		if err := r.Delete(ctx); err != nil && !azure.IsNotFound(err) {
			return model, false, err
		}
	}
	azure.Report(r.Report, "creating "+r.Kind+" "+r.Name)
	r.left(r.ID) // without an answer, it may have been created
	model, err = r.Create(ctx)
	return model, err == nil, err
}

// judge returns why an existing resource may not be used.
func (r Resource[M]) judge(model *M) error {
	found := r.Read(model)
	conflict := func(err error) error {
		return &errkind.Error{Kind: errkind.Conflict, Op: "use " + r.Kind, Resource: r.Name, Err: err}
	}
	switch {
	case !azure.Managed(azure.Tags(found.Tags)) && r.Advice != "":
		return conflict(errkind.New(errkind.Conflict, "it exists and is not azlin's: %s", r.Advice))
	case !azure.Managed(azure.Tags(found.Tags)):
		return conflict(errkind.New(errkind.Conflict, "it exists and is not azlin's"))
	case r.Region != "" && !azure.SameRegion(found.Location, r.Region):
		return conflict(errkind.New(errkind.Conflict, "it is left over from a VM in %s: delete that first", found.Location))
	case r.Judge != nil:
		if err := r.Judge(model); err != nil {
			return conflict(err)
		}
	}
	return nil
}

func (r Resource[M]) left(id string) {
	if r.Left != nil {
		r.Left(id)
	}
}
