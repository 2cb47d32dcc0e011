package teardown

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Run deletes the items in the order of their ranks, those of one rank in parallel, and verifies that they are gone. What is
// left is tried again, because dependencies end with a delay. An absent item counts as deleted. The results are in the order
// of items; report, which may be nil, receives each deletion.
func Run(ctx context.Context, c *azure.Client, items []Item, report func(step string)) []Result {
	errs := make([]error, len(items))
	todo := make([]int, len(items))
	for i := range items {
		todo[i] = i
	}
	for round := range rounds {
		if round > 0 {
			if err := pause(ctx, time.Duration(round)*longer); err != nil {
				break
			}
		}
		deleteRanks(ctx, items, todo, errs, report)
		if todo = remaining(ctx, items, todo, errs); len(todo) == 0 || !worthRepeating(todo, errs) {
			break
		}
	}
	results := make([]Result, len(items))
	for i, item := range items {
		err := errs[i]
		if slices.Contains(todo, i) && err == nil {
			err = &errkind.Error{
				Kind: errkind.Conflict, Op: "delete " + item.Kind, Resource: item.name(),
				Err: errors.New("the deletion was accepted, but it is still there"),
			}
		}
		results[i] = item.Result(NameLocks(ctx, c, item.ID.String(), err))
	}
	return results
}

const (
	rounds = 5
	longer = 3 * time.Second
)

func deleteRanks(ctx context.Context, items []Item, todo []int, errs []error, report func(step string)) {
	var ranks []int
	for _, i := range todo {
		ranks = append(ranks, items[i].Rank)
	}
	slices.Sort(ranks)
	for _, rank := range slices.Compact(ranks) {
		var g errgroup.Group
		g.SetLimit(parallel)
		for _, i := range todo {
			if items[i].Rank != rank {
				continue
			}
			g.Go(func() error {
				azure.Report(report, "deleting "+items[i].Kind+" "+items[i].name())
				if errs[i] = items[i].remove(ctx); azure.IsNotFound(errs[i]) {
					errs[i] = nil
				}
				return nil
			})
		}
		_ = g.Wait() // each error is in errs
		if holdBack(items, todo, errs, rank) {
			return
		}
	}
}

// remove deletes the resource, unless somebody needs it.
func (i Item) remove(ctx context.Context) error {
	if i.Needed != nil {
		why, err := i.Needed(ctx)
		if err != nil {
			return err
		}
		if why != "" {
			return &errkind.Error{Kind: errkind.Conflict, Op: "delete " + i.Kind, Resource: i.name(), Class: ErrNeeded, Err: errkind.New(errkind.Conflict, "%s", why)}
		}
	}
	return i.Delete(ctx)
}

// errHeld replaces the refusals that everything attached to an undeletable resource would get.
var errHeld = errors.New("not tried")

// holdBack skips what is attached to a resource that could not be deleted.
func holdBack(items []Item, todo []int, errs []error, rank int) bool {
	at := slices.IndexFunc(todo, func(i int) bool {
		return items[i].Rank == rank && items[i].Blocks && errs[i] != nil && !errors.Is(errs[i], ErrNeeded)
	})
	if at < 0 {
		return false
	}
	for _, i := range todo {
		if items[i].Rank > rank {
			errs[i] = &errkind.Error{
				Kind: errkind.Conflict, Op: "delete " + items[i].Kind, Resource: items[i].name(),
				Err: fmt.Errorf("%w, because the %s could not be deleted", errHeld, items[todo[at]].Kind),
			}
		}
	}
	return true
}

// remaining returns those of todo that still exist.
func remaining(ctx context.Context, items []Item, todo []int, errs []error) []int {
	there := make([]bool, len(items))
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, i := range todo {
		g.Go(func() error {
			exists, err := items[i].Exists(ctx)
			there[i] = exists || err != nil
			switch {
			case err != nil && errs[i] == nil:
				errs[i] = fmt.Errorf("look whether %s %s is gone: %w", items[i].Kind, items[i].name(), err)
			case err == nil && !exists:
				errs[i] = nil // it was deleted with another one
			}
			return nil
		})
	}
	_ = g.Wait() // each error is in errs
	return slices.DeleteFunc(slices.Clone(todo), func(i int) bool { return !there[i] })
}

// worthRepeating reports whether waiting may help any of todo.
func worthRepeating(todo []int, errs []error) bool {
	for _, i := range todo {
		if errors.Is(errs[i], errHeld) || errors.Is(errs[i], ErrNeeded) {
			continue
		}
		switch errkind.Of(errs[i]) {
		case errkind.Permission, errkind.Auth, errkind.Cancelled, errkind.Invalid,
			errkind.Unreachable, errkind.Throttled, errkind.Provisioning: // already awaited or retried long enough
			continue
		}
		if !strings.EqualFold(azure.Code(errs[i]), "ScopeLocked") {
			return true
		}
	}
	return false
}

// parallel limits how many resources are deleted at the same time.
const parallel = 8

// pause waits, or returns ctx's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
