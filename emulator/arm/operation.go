package arm

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Operation is something that takes time. It is plain data, so that it survives a restart: what
// it does stands in the Kind of its name.
type Operation struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Target   string    `json:"target"` // id of the resource it is about
	Location string    `json:"location"`
	Args     Object    `json:"args,omitempty"`
	Start    time.Time `json:"start"`
	Due      time.Time `json:"due"`
	End      time.Time `json:"end"`
	Status   string    `json:"status"` // InProgress, Succeeded, Failed, Canceled
	Err      *Error    `json:"error,omitempty"`
	Output   any       `json:"output,omitempty"`
	Result   any       `json:"-"` // what Run found out, for Finish
	running  bool
}

// The states of an operation.
const (
	InProgress = "InProgress"
	Succeeded  = "Succeeded"
	Failed     = "Failed"
	Canceled   = "Canceled"
)

// Done reports whether the operation has ended.
func (o *Operation) Done() bool { return o.Status != InProgress }

// Kind is what an operation does when its time has come.
type Kind struct {
	// Run does what must not hold the server's lock, such as booting a host. It gets a copy of the
	// operation; its result is in Result for Finish. Nil: nothing to do.
	Run func(ctx context.Context, op Operation) (any, error)
	// Finish changes the state. err is Run's. It returns the operation's failure, or a positive time
	// after which it wants to be called again because the operation is not over.
	Finish func(op *Operation, err error) (again time.Duration, failure error)
}

// RegisterKind names a kind.
func (s *Server) RegisterKind(name string, k Kind) { s.kinds[name] = k }

// Begin starts an operation of a kind on a resource.
func (s *Server) Begin(kind, target, location string, args Object) *Operation {
	if args == nil {
		args = Object{}
	}
	op := &Operation{
		ID: uuid.NewString(), Kind: kind, Target: target, Location: location, Args: args,
		Start: s.now, Due: s.now.Add(s.opt.Duration(kind)), Status: InProgress,
	}
	s.prune()
	s.ops[op.ID] = op
	s.touched()
	s.nudge()
	return op
}

// kept is how many ended operations can be asked for. Azure keeps them for about a day.
const kept = 4096

func (s *Server) prune() {
	if len(s.ops) < kept {
		return
	}
	for id, op := range s.ops {
		if op.Done() && s.now.Sub(op.End) > time.Hour {
			delete(s.ops, id)
		}
	}
}

// Current returns the operation in progress on a resource, or nil.
func (s *Server) Current(target string) *Operation {
	key := Key(target)
	for _, op := range s.ops {
		if !op.Done() && Key(op.Target) == key {
			return op
		}
	}
	return nil
}

// Operation returns an operation by its id, or nil.
func (s *Server) Operation(id string) *Operation { return s.ops[id] }

// Preempt ends the operations in progress on a resource: a newer one takes their place.
func (s *Server) Preempt(target string) {
	for op := s.Current(target); op != nil; op = s.Current(target) {
		op.Status, op.End = Canceled, s.now
		op.Err = Conflict("OperationPreempted", "Operation execution has been preempted by a more recent operation.")
	}
}

// settle brings the state up to the present: every operation whose time has come ends at its time,
// in the order of their times. Callers hold the lock.
func (s *Server) settle() {
	wall := time.Now().Add(s.offset)
	for {
		var next *Operation
		for _, op := range s.ops {
			if op.Done() || op.running || op.Due.After(wall) {
				continue
			}
			if next == nil || op.Due.Before(next.Due) || op.Due.Equal(next.Due) && op.ID < next.ID {
				next = op
			}
		}
		if next == nil {
			break
		}
		s.now = next.Due
		if k := s.kinds[next.Kind]; k.Run != nil {
			next.running = true
			s.ready = append(s.ready, next)
			s.nudge()
			continue
		}
		s.finish(next, nil, nil)
	}
	s.now = wall
}

func (s *Server) finish(op *Operation, result any, err error) {
	op.running = false
	if op.Done() {
		return // preempted meanwhile
	}
	op.Result = result
	k, ok := s.kinds[op.Kind]
	if !ok {
		op.Status, op.End = Failed, s.now
		op.Err = Refuse(500, "InternalServerError", "no operation of kind %s", op.Kind)
		return
	}
	again, failure := k.Finish(op, err)
	s.touched()
	if again > 0 {
		op.Due = s.now.Add(again)
		return
	}
	op.End = s.now
	if failure == nil {
		op.Status = Succeeded
		return
	}
	op.Status = Failed
	if !errors.As(failure, &op.Err) {
		op.Err = Refuse(500, "InternalOperationError", "%v", failure)
	}
}

// Complete ends the operations in progress on a resource at once, as if their time had come and
// nothing had had to run.
func (s *Server) Complete(target string) {
	for op := s.Current(target); op != nil; op = s.Current(target) {
		op.Due = s.now
		s.finish(op, nil, nil)
	}
}

// nudge tells Drive to look again. Callers hold the lock.
func (s *Server) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Drive ends operations at their time without anybody asking, and runs those that have something to
// run. It returns when ctx ends. A server whose kinds have no Run needs no Drive: requests settle
// what is due before they are answered.
func (s *Server) Drive(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		s.settle()
		ready := s.ready
		s.ready = nil
		var next time.Time
		for _, op := range s.ops {
			if !op.Done() && !op.running && (next.IsZero() || op.Due.Before(next)) {
				next = op.Due
			}
		}
		wait := time.Hour
		if !next.IsZero() {
			wait = max(next.Sub(s.now), time.Millisecond)
		}
		copies := make([]Operation, len(ready))
		for i, op := range ready {
			copies[i] = *op
		}
		s.mu.Unlock()
		s.announce()
		for i := range ready {
			go s.run(ctx, ready[i], copies[i])
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
	}
}

func (s *Server) run(ctx context.Context, op *Operation, seen Operation) {
	result, err := s.kinds[seen.Kind].Run(ctx, seen)
	if ctx.Err() != nil {
		return // the server is going down; the operation goes on after the restart
	}
	s.mu.Lock()
	s.settle()
	s.finish(op, result, err)
	s.nudge()
	s.mu.Unlock()
	s.announce()
}
