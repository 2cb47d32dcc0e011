package pacing

import "context"

// noticeKey is the context key of WithNotice.
type noticeKey struct{}

// WithNotice returns a context whose requests call notice when they wait noticeably: because the resource is busy or
// reserved, or Azure requests a delay. As in net/http/httptrace, the hook belongs to the call, not to the client.
func WithNotice(ctx context.Context, notice func(message string)) context.Context {
	return context.WithValue(ctx, noticeKey{}, notice)
}

// Notify calls the hook of WithNotice, if there is one.
func Notify(ctx context.Context, message string) {
	if f, ok := ctx.Value(noticeKey{}).(func(string)); ok && f != nil {
		f(message)
	}
}
