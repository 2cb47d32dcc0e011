package ensure

import (
	"context"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// settleEvery is the pause between two reads of a resource that somebody else is creating.
const settleEvery = 3 * time.Second

// Settle waits until Azure has finished with a resource that another process is creating, and returns its provisioning
// state: "Succeeded", "Failed" or "Canceled". get reads that state. After azure.Options.Patience it returns an error of kind
// Provisioning.
func Settle(ctx context.Context, c *azure.Client, op, resource string, get func(context.Context) (string, error)) (string, error) {
	for began := time.Now(); ; {
		state, err := get(ctx)
		if err != nil {
			return "", azure.Wrap(op, resource, err)
		}
		switch strings.ToLower(state) {
		case "creating", "updating", "deleting":
		default:
			return state, nil
		}
		if time.Since(began) > c.Patience() {
			return "", &errkind.Error{
				Op: op, Resource: resource,
				Err: errkind.New(errkind.Provisioning, "it has been %s for %s; it may still end", strings.ToLower(state), c.Patience()),
			}
		}
		select {
		case <-ctx.Done():
			return "", azure.Wrap(op, resource, context.Cause(ctx))
		case <-time.After(settleEvery):
		}
	}
}
