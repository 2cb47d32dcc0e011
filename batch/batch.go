// Package batch does one thing for many, many at once: with a bound, a deadline for each, results in the order of the items,
// and one error for what failed. It knows nothing of VMs.
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

// The bounds of Options.Workers.
const (
	DefaultWorkers = 10
	MaxWorkers     = 512
)

// Options of a run. The zero value is ready: ten at once, without a deadline.
type Options struct {
	Workers int           // at once; 0: DefaultWorkers
	Each    time.Duration // how long one item may take; 0: as long as it wants. Bound the whole run with its context
}

// Result is what became of one item.
type Result[R any] struct {
	Value R
	Err   error
	Took  time.Duration // zero: it was not begun
}

// ErrLate is the cause of the error of an item that took longer than Options.Each.
var ErrLate = errors.New("it took too long")

// Run calls f for each item and returns the results in the order of the items. A failure does not stop the others. When ctx
// ends, items that were not begun fail with its cause. A panic of f is not caught.
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

// explained puts the reason for which a context ended in place of the bare fact that it did. A failure that says more, for
// example what is left over, is kept, and says the reason as well when it was the item's own deadline.
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
	Name string // as people call it
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

// Error is the one error of a run in which some items failed. Its kind is Partial; when all failed for reasons of one kind,
// it is that kind.
type Error struct {
	Op     string // what was done: "start"; empty: the failures say it
	Total  int
	Failed []Failure
	Next   errkind.Step // what repeats what failed, when it is known
}

// Err is nil when nothing failed, the failure itself when there was one item only, else an *Error.
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

// Error says how many failed, and why each did, a line for each. A failure that names its item already does not name it
// twice.
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

// Unwrap gives errors.Is and errors.As the failures.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Failed))
	for n, f := range e.Failed {
		errs[n] = f.Err
	}
	return errs
}

// Each calls f for each number below count, so many at once as workers says (0: DefaultWorkers), and returns when all have
// returned. It is for loops whose body keeps its own results and looks at ctx itself: f is called for all numbers, also when ctx has ended.
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
