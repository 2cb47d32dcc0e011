package azure

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Pages reads all pages of a list. op is for errors.
func Pages[T, P any](ctx context.Context, op string, pager *runtime.Pager[P], items func(P) []*T) ([]*T, error) {
	var out []*T
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, Wrap(op, "", err)
		}
		for _, item := range items(page) {
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
