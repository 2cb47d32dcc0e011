// Package batch runs one function for many items in parallel: with a limit, a deadline for each, results in the order of the
// items, and one error for all failures. It has no knowledge of VMs.
package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/errkind"
)

// The limits of Options.Workers.
const (
	DefaultWorkers = 10
	MaxWorkers     = 512
)

// Options of a run. The zero value is ready for use: ten in parallel, without a deadline.
type Options struct {
	Workers int           // in parallel; 0: DefaultWorkers
	Each    time.Duration // how long one item may take; 0: no limit. Limit the whole run with its context
}

// Result is the result of one item.
type Result[R any] struct {
	Value R
	Err   error
	Took  time.Duration // zero: it was not started
}

// ErrLate is the cause of the error of an item that took longer than Options.Each.
var ErrLate = errors.New("it took too long")

// Run calls f for each item and returns the results in the order of the items. A failure does not stop the others. When ctx
// ends, items that were not started fail with its cause. A panic of f is not caught.
func Run[T, R any](ctx context.Context, items []T, o Options, f func(context.Context, T) (R, error)) []Result[R] {
	results := make([]Result[R], len(items))
	workers := o.Workers
	if workers <= 0 {
		workers = DefaultWorkers
	}
	var g errgroup.Group
	g.SetLimit(min(workers, MaxWorkers))
	for n, item := range items {
		g.Go(func() error {
			results[n] = one(ctx, item, o.Each, f)
			return nil
		})
	}
	_ = g.Wait() // no function returns one
	return results
}

func one[T, R any](ctx context.Context, item T, limit time.Duration, f func(context.Context, T) (R, error)) (r Result[R]) {
	if ctx.Err() != nil {
		r.Err = context.Cause(ctx)
		return r
	}
	if limit > 0 {
		late := &errkind.Error{Kind: errkind.Unreachable, Class: ErrLate, Err: fmt.Errorf("it has not ended within %s", limit)}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, late)
		defer cancel()
	}
	began := time.Now()
	r.Value, r.Err = f(ctx, item)
	r.Took = time.Since(began)
	r.Err = explained(ctx, r.Err)
	return r
}

// explained replaces a context's error by its cause. A failure with more content, such as what is left over, is kept, with
// the cause added if it was the item's own deadline.
func explained(ctx context.Context, err error) error {
	switch {
	case err == nil || ctx.Err() == nil:
		return err
	case err == ctx.Err() || err == context.Cause(ctx): //nolint:errorlint // the bare ones
		return context.Cause(ctx)
	case errors.Is(context.Cause(ctx), ErrLate):
		return &errkind.Error{Class: ErrLate, Err: fmt.Errorf("%w: %w", context.Cause(ctx), err)}
	}
	return err
}

// Failure is an item that failed.
type Failure struct {
	Name string // for messages
	Err  error
}

// Failures pairs the errors of results with the names of their items.
func Failures[R any](results []Result[R], name func(n int) string) []Failure {
	var failed []Failure
	for n, r := range results {
		if r.Err != nil {
			failed = append(failed, Failure{name(n), r.Err})
		}
	}
	return failed
}

// Error is the error of a run in which items failed. Its kind is Partial; if all failed for the same kind of reason, it is
// that kind.
type Error struct {
	Op     string // what was done: "start"; empty: the failures contain it
	Total  int
	Failed []Failure
	Next   errkind.Step // repeats what failed, if known
}

// Err is nil when nothing failed, the failure itself when there was only one item, else an *Error.
func Err(op string, total int, failed []Failure, next errkind.Step) error {
	switch {
	case len(failed) == 0:
		return nil
	case total == 1 && (next.IsZero() || !errkind.Next(failed[0].Err).IsZero()):
		return failed[0].Err
	case total == 1:
		return &errkind.Error{Err: failed[0].Err, Next: next}
	}
	return &errkind.Error{Kind: kindOf(total, failed), Err: &Error{Op: op, Total: total, Failed: failed, Next: next}, Next: next}
}

func kindOf(total int, failed []Failure) errkind.Kind {
	if len(failed) < total {
		return errkind.Partial
	}
	kind := errkind.Of(failed[0].Err)
	for _, f := range failed {
		if errkind.Of(f.Err) != kind {
			return errkind.Partial
		}
	}
	return kind
}

// Error lists how many failed and why, one line each. A failure that contains its item's name does not repeat it.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	fmt.Fprintf(&b, "%d of %d failed", len(e.Failed), e.Total)
	for _, f := range e.Failed {
		text := f.Err.Error()
		if !strings.Contains(text, f.Name) {
			text = f.Name + ": " + text
		}
		b.WriteString("\n" + text)
	}
	return b.String()
}

// Unwrap returns the failures, for errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Failed))
	for n, f := range e.Failed {
		errs[n] = f.Err
	}
	return errs
}

// Each calls f for each number below count, in parallel up to workers (0: DefaultWorkers), and returns when all have
// returned. It is for loops whose body stores its own results and checks ctx itself: f is called for all numbers, even after
// ctx has ended.
func Each(ctx context.Context, count, workers int, f func(n int)) {
	items := make([]int, count)
	for n := range items {
		items[n] = n
	}
	Run(context.WithoutCancel(ctx), items, Options{Workers: workers}, func(_ context.Context, n int) (struct{}, error) {
		f(n)
		return struct{}{}, nil
	})
}
