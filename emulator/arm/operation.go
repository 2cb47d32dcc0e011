package arm

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// Operation is something that takes time. It is plain data, so that it survives a restart: what
// it does stands in the Kind of its name.
type Operation struct {
	ID       string        `json:"id"`
	Kind     string        `json:"kind"`
	Target   string        `json:"target"` // id of the resource it is about
	Location string        `json:"location"`
	Args     azjson.Object `json:"args,omitempty"`
	Start    time.Time     `json:"start"`
	Due      time.Time     `json:"due"`
	End      time.Time     `json:"end"`
	Status   string        `json:"status"` // InProgress, Succeeded, Failed, Canceled
	Err      *Error        `json:"error,omitempty"`
	Output   any           `json:"output,omitempty"`
	Fault    *Fault        `json:"fault,omitempty"`
	Retry    int           `json:"retry,omitempty"` // seconds after which the client was told to look; 0: it was told nothing
	Result   any           `json:"-"`               // what Run found out, for Finish
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

// Fault is what was decided to go wrong with an operation when it began.
type Fault struct {
	Rule  string        `json:"rule"`
	Fail  *Error        `json:"fail,omitempty"`  // it ends in this
	Stuck bool          `json:"stuck,omitempty"` // it does not end while the rule is there
	Lie   time.Duration `json:"lie,omitempty"`   // it succeeds, and its resource is not found for so long
}

// Kind is what an operation does when its time has come.
type Kind struct {
	// Failed changes the state when the operation is made to fail. Nil: a resource that was put is shown as failed, and
	// everything else stays as it is.
	Failed func(op *Operation)

	// Run does what must not hold the server's lock, such as booting a host. It gets a copy of the
	// operation; its result is in Result for Finish. Nil: nothing to do.
	Run func(ctx context.Context, op Operation) (any, error)
	// Finish changes the state. err is Run's. It returns the operation's failure, or a positive time
	// after which it wants to be called again because the operation is not over.
	Finish func(op *Operation, err error) (again time.Duration, failure error)
	// Empty is the status that Location ends in when there is nothing to show. 0: 200.
	Empty int
}

// RegisterKind names a kind.
func (s *Server) RegisterKind(name string, k Kind) { s.kinds[name] = k }

// Begin starts an operation of a kind on a resource.
func (s *Server) Begin(kind, target, location string, args azjson.Object) *Operation {
	if args == nil {
		args = azjson.Object{}
	}
	op := &Operation{
		ID: uuid.NewString(), Kind: kind, Target: target, Location: location, Args: args,
		Start: s.now, Due: s.now.Add(s.Lasting(kind)), Status: InProgress,
	}
	if s.opt.Fault != nil {
		op.Fault = s.opt.Fault(kind, target)
	}
	s.prune()
	s.ops[op.ID], s.open[op.ID] = op, op
	s.track.mark(trackOperation, op.ID)
	s.touched()
	s.nudge()
	return op
}

// Lasting is how long an operation of a kind takes that begins now.
func (s *Server) Lasting(kind string) time.Duration {
	d := s.opt.Duration(kind)
	if s.opt.Crowded != nil {
		d = s.opt.Crowded(d, len(s.open))
	}
	return d
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
			delete(s.open, id)
			s.track.mark(trackOperation, id)
		}
	}
}

// Current returns the operation in progress on a resource, or nil.
func (s *Server) Current(target string) *Operation {
	key := resourceid.Key(target)
	for id, op := range s.open {
		if op.Done() {
			delete(s.open, id)
			continue
		}
		if resourceid.Key(op.Target) == key {
			s.track.seen(trackOperation, id)
			return op
		}
	}
	return nil
}

// Operation returns an operation by its id, or nil.
func (s *Server) Operation(id string) *Operation {
	s.track.seen(trackOperation, id)
	return s.ops[id]
}

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
		for id, op := range s.open {
			if op.Done() {
				delete(s.open, id)
				continue
			}
			if op.running || op.Due.After(wall) || s.stuck(op) {
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
		if k := s.kinds[next.Kind]; k.Run != nil && (next.Fault == nil || next.Fault.Fail == nil) {
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
	s.track.mark(trackOperation, op.ID)
	if op.Done() {
		return // preempted meanwhile
	}
	defer func() {
		if op.Done() && s.ended != nil {
			s.ended(op)
		}
	}()
	op.Result = result
	k, ok := s.kinds[op.Kind]
	if !ok {
		op.Status, op.End = Failed, s.now
		op.Err = Refuse(500, "InternalServerError", "no operation of kind %s", op.Kind)
		return
	}
	if op.Fault != nil && op.Fault.Fail != nil {
		s.spoil(op, k)
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
		if op.Fault != nil && op.Fault.Lie > 0 {
			s.hidden[resourceid.Key(op.Target)] = s.now.Add(op.Fault.Lie)
		}
		return
	}
	op.Status = Failed
	if !errors.As(failure, &op.Err) {
		op.Err = Refuse(500, "InternalOperationError", "%v", failure)
	}
}

// stuck reports whether an operation does not end for now.
func (s *Server) stuck(op *Operation) bool {
	return op.Fault != nil && op.Fault.Stuck && s.opt.Stuck != nil && s.opt.Stuck(op.Fault.Rule)
}

// spoil ends an operation in the failure that was decided on.
func (s *Server) spoil(op *Operation, k Kind) {
	op.Status, op.End, op.Err = Failed, s.now, op.Fault.Fail
	if k.Failed != nil {
		k.Failed(op)
	} else if r := s.Find(op.Target); r != nil && strings.HasSuffix(op.Kind, ".put") {
		azjson.Put(r.Body, "Failed", "properties", "provisioningState")
		s.Touch(r)
	}
	s.touched()
}

// Release lets operations that were stuck end, and resources that were hidden be found, after the rules for it have
// changed.
func (s *Server) Release() {
	s.Do(func() {
		clear(s.hidden)
		s.nudge()
	})
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
		for _, op := range s.open {
			if !op.Done() && !op.running && !s.stuck(op) && (next.IsZero() || op.Due.Before(next)) {
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
