package ensure

import (
	"context"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Existing is what decides whether a resource that was found may be used.
type Existing struct {
	ID, Location string
	Tags         map[string]*string
	State        string // the provisioning state; empty: it is not waited for, and never made anew
}

// Resource is one resource that is to exist. M is the model of Azure's that describes it.
type Resource[M any] struct {
	Kind string // for people: "network security group"
	Name string
	ID   string

	Region string // it has to be in; empty: anywhere
	Advice string // what to do when the name is somebody else's: "choose another name"; empty: nothing

	Get    func(context.Context) (M, error)
	Read   func(*M) Existing
	Judge  func(*M) error                   // what else keeps an existing one from being used; nil: nothing
	Create func(context.Context) (M, error) // begins, and waits
	Delete func(context.Context) error      // of one that Azure failed to make; nil: it is used as it is

	Report func(step string) // may be nil
	Left   func(id string)   // hears of a resource of azlin's before it is used or made; may be nil
}

// Ensure gives the resource, made is whether it was not there. One that somebody else is making is awaited, one that Azure
// failed to make is deleted and made anew, because nothing may be in it. One that is not azlin's, or in another region, is a
// Conflict, and is not touched.
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
	r.left(r.ID) // an answer that does not come says nothing about whether it is made
	model, err = r.Create(ctx)
	return model, err == nil, err
}

// judge says why a resource that was found may not be used.
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
