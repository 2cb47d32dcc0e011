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

// Handler finds, resumes and undoes operations of one kind, or of a few similar ones.
type Handler struct {
	Kinds []Kind
	// Find finds unfinished operations by the tags of a group's or subscription's resources. It sends no request. Nil: only
	// this machine's files record them.
	Find func(all []Resource) []Unfinished
	// Resume plans the remaining steps. It changes nothing.
	Resume func(ctx context.Context, u Unfinished) (Plan, error)
	// Abandon plans to undo what was done. It changes nothing. Nil: it cannot be undone; Stays has the reason.
	Abandon func(ctx context.Context, u Unfinished) (Plan, error)
	Stays   string
}

// Plan is what resuming or abandoning an operation will do.
type Plan struct {
	Operation Unfinished
	Steps     []string // the steps, in order, for display
	Notes     []string // what could not be checked, and why
	// Run carries it out and returns the result of the kind's own package, such as vm.LifecycleResult for a power operation;
	// nil: no result. It may be interrupted anywhere: the operation is found again. report, which may be nil, receives each
	// step.
	Run func(ctx context.Context, report func(step string)) (any, error)
}

// Service lists all unfinished operations of a subscription. Use azlin.Open to create one.
type Service struct {
	Azure    *azure.Client
	Store    Store // this machine's
	Handlers []Handler
}

// List returns the unfinished operations, oldest first: those recorded on this machine, and those recorded in the tags of
// group's resources; empty: of the whole subscription. Tags are read with one list of all resources, however many kinds of
// operations there are. On an error, it also returns what was found.
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

// Get finds an operation by its id, a prefix of the id, or the name of a VM that it works on. The error is NotFound, or
// Conflict when several match. An operation that only this machine records is found by its full id without a request.
func (s *Service) Get(ctx context.Context, group, name string) (Unfinished, error) {
	op, _ := s.Store.Get(name) // List will report why it cannot be read
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

// Resume plans to resume an operation. When it ends, this machine's record is removed.
func (s *Service) Resume(ctx context.Context, u Unfinished) (Plan, error) {
	h := s.handler(u.Kind)
	if h == nil {
		return Plan{}, unknown(u)
	}
	p, err := h.Resume(ctx, u)
	return s.ending(p, u), failed("resume operation", u, err)
}

// Abandon plans to undo an operation. When it ends, this machine's record is removed. An operation that cannot be undone is
// a Conflict.
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

// ending makes a plan remove the operation's record at its end.
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

// Forget removes this machine's record of an operation. Nothing changes in Azure.
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
