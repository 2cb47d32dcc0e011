package change

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Handler knows operations of one kind, or of a few that are alike: how they are found, gone on with, and undone.
type Handler struct {
	Kinds []Kind
	// Find finds those that have not ended among the resources of a group, or of a subscription, by their tags. It sends
	// nothing. Nil: no tag tells of them, only this machine's files.
	Find func(all []Resource) []Unfinished
	// Resume plans what is left to be done. It changes nothing.
	Resume func(ctx context.Context, u Unfinished) (Plan, error)
	// Abandon plans how what was begun goes again. It changes nothing. Nil: it cannot be undone; Stays says why.
	Abandon func(ctx context.Context, u Unfinished) (Plan, error)
	Stays   string
}

// Plan is what is about to be done about an operation.
type Plan struct {
	Operation Unfinished
	Steps     []string // what will be done, in order, for people
	Notes     []string // what could not be checked, and why
	// Run does it, and gives what came of it: what the call of the package returns that knows the kind, as vm.LifecycleResult of
	// a power operation; nil: nothing but that it is done. It may be cut off anywhere: the operation is found again then.
	// report, which may be nil, hears of each step.
	Run func(ctx context.Context, report func(step string)) (any, error)
}

// Service knows all unfinished operations of a subscription. Make one with azlin.Open.
type Service struct {
	Azure    *azure.Client
	Store    Store // of this machine
	Handlers []Handler
}

// List returns the unfinished operations, the oldest first: those that this machine remembers, and those that the tags of
// what is in group tell of; of the whole subscription when it is empty. Tags are read with one list of all resources, however
// many kinds of operations there are. An error comes with what could be found all the same.
func (s *Service) List(ctx context.Context, group string) ([]Unfinished, error) {
	files, damaged := s.Store.List()
	resources, err := Resources(ctx, s.Azure, group)
	var all []Unfinished
	for _, h := range s.Handlers {
		if h.Find != nil {
			all = append(all, h.Find(resources)...)
		}
	}
	for n := range all {
		all[n].Subscription = s.Azure.SubscriptionID()
		slices.Sort(all[n].Resources)
	}
	for _, op := range files {
		if !strings.EqualFold(op.Subscription, s.Azure.SubscriptionID()) {
			continue
		}
		i := slices.IndexFunc(all, func(u Unfinished) bool { return u.ID == op.ID })
		if i < 0 {
			i = len(all)
			all = append(all, Unfinished{})
		}
		all[i].remembered(op)
	}
	ByAge(all)
	return all, cmp.Or(damaged, err)
}

// Get finds an operation by its id, the beginning of that, or the name of a VM that it works on. The error is NotFound, or
// Conflict when several fit. One of a kind that no tag tells of is found by its whole id without a request.
func (s *Service) Get(ctx context.Context, group, name string) (Unfinished, error) {
	op, _ := s.Store.Get(name) // what keeps it from being read, List will say
	elsewhere := op != nil && !strings.EqualFold(op.Subscription, s.Azure.SubscriptionID())
	if op != nil && op.ID == name && !elsewhere {
		if h := s.handler(op.Kind); h != nil && h.Find == nil {
			var u Unfinished
			u.remembered(op)
			return u, nil
		}
	}
	all, err := s.List(ctx, group)
	if err != nil {
		return Unfinished{}, err
	}
	fit := slices.DeleteFunc(slices.Clone(all), func(u Unfinished) bool { return u.ID != name })
	if len(fit) == 0 && name != "" {
		fit = slices.DeleteFunc(all, func(u Unfinished) bool {
			return !strings.HasPrefix(u.ID, name) && !slices.ContainsFunc(u.VMs, func(vm string) bool { return strings.EqualFold(vm, name) })
		})
	}
	switch {
	case len(fit) == 0 && elsewhere:
		return Unfinished{}, errkind.New(errkind.Conflict, "operation %s is in subscription %s, this is %s: use the context it was begun in", op.ID, op.Subscription, s.Azure.SubscriptionID())
	case len(fit) == 0:
		return Unfinished{}, &errkind.Error{
			Kind: errkind.NotFound, Op: "find operation", Resource: name, Err: errors.New("nothing unfinished has that id or VM"), Next: errkind.Step{Action: errkind.ListOperations},
		}
	case len(fit) == 1:
		return fit[0], nil
	}
	ids := make([]string, len(fit))
	for n, u := range fit {
		ids[n] = u.ID
	}
	return Unfinished{}, errkind.New(errkind.Conflict, "operation %q: several fit: %s", name, strings.Join(ids, ", "))
}

func (s *Service) handler(kind Kind) *Handler {
	i := slices.IndexFunc(s.Handlers, func(h Handler) bool { return slices.Contains(h.Kinds, kind) })
	if i < 0 {
		return nil
	}
	return &s.Handlers[i]
}

// Resume plans to go on with an operation. Its end makes this machine forget it.
func (s *Service) Resume(ctx context.Context, u Unfinished) (Plan, error) {
	h := s.handler(u.Kind)
	if h == nil {
		return Plan{}, unknown(u)
	}
	p, err := h.Resume(ctx, u)
	return s.ending(p, u), failed("resume operation", u, err)
}

// Abandon plans to undo what an operation has begun. Its end makes this machine forget it. Of a kind that cannot be undone
// it is a Conflict.
func (s *Service) Abandon(ctx context.Context, u Unfinished) (Plan, error) {
	h := s.handler(u.Kind)
	switch {
	case h == nil:
		return Plan{}, unknown(u)
	case h.Abandon == nil:
		return Plan{}, failed("abandon operation", u, errkind.New(errkind.Conflict, "%s", h.Stays))
	}
	p, err := h.Abandon(ctx, u)
	return s.ending(p, u), failed("abandon operation", u, err)
}

// ending makes a plan forget its operation in the end.
func (s *Service) ending(p Plan, u Unfinished) Plan {
	run := p.Run
	p.Operation = u
	p.Run = func(ctx context.Context, report func(string)) (any, error) {
		if report == nil {
			report = func(string) {}
		}
		result, err := run(ctx, report)
		if err != nil {
			return result, err
		}
		return result, s.Forget(u)
	}
	return p
}

// Forget removes what this machine remembers of an operation. Nothing changes in Azure.
func (s *Service) Forget(u Unfinished) error {
	if u.File == nil {
		return nil
	}
	return s.Store.Remove(u.File)
}

func unknown(u Unfinished) error {
	return errkind.New(errkind.Conflict, "operation %s is of the kind %q, which this azlin does not know: use the one that began it", u.ID, u.Kind)
}

func failed(op string, u Unfinished, err error) error {
	if err == nil {
		return nil
	}
	return &errkind.Error{Kind: errkind.Of(err), Op: op, Resource: u.ID, Err: err}
}
