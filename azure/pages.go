package azure

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azlin-dev/azlin/azure/transport"
)

// Pages reads all pages of a list. op is for errors.
func Pages[T, P any](ctx context.Context, op string, pager *runtime.Pager[P], items func(P) []*T) ([]*T, error) {
	var out []*T
	ctx = transport.OnePass(ctx)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, Wrap(op, "", err)
		}
		list := items(page)
		if list == nil { // the SDK omits an empty array; callers expect one
			return nil, Wrap(op, "", transport.Refused("the answer holds no list: is a proxy or a captive portal in between?"))
		}
		for _, item := range list {
			if item != nil {
				out = append(out, item)
			}
		}
	}
	return out, nil
}

// Run starts an operation and waits for it.
func Run[T any](ctx context.Context, c *Client, op, resource string, begin func(context.Context) (*runtime.Poller[T], error)) (T, error) {
	o, err := Begin(ctx, c, op, resource, begin)
	if err != nil {
		var zero T
		return zero, err
	}
	return o.Wait(ctx, nil)
}
