package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// MaxPool is the highest number of VMs in a pool.
const MaxPool = 500

// PoolPlan is a launch of several VMs of one kind, named after the pool: ci-01, ci-02, and so on. The first plan holds the
// quota (for all VMs) and the price of one.
type PoolPlan struct {
	Name     string
	Count    int
	Existing []vm.Info // existing, finished VMs
	Plans    []*Plan   // VMs to create or resume
}

// PoolResult is the result of launching a pool. Each list is in the order of the names.
type PoolResult struct {
	Existing   []vm.Info
	Successful []*Result
	Failed     []*provision.ProvisioningFailure
	TotalTime  time.Duration
}

// Err is nil when all VMs exist. It is Partial when some do; it names the missing ones and the reasons.
func (r *PoolResult) Err() error {
	if len(r.Failed) == 0 {
		return nil
	}
	errs := make([]error, len(r.Failed))
	var left []string
	names := make([]string, len(r.Failed))
	for n, f := range r.Failed {
		names[n] = f.VM
		errs[n] = fmt.Errorf("%s: %w", f.VM, f.Err)
		left = append(left, f.LeftOver...)
	}
	e := &errkind.Error{
		Kind: errkind.Partial, Class: provision.ErrProvisioning, LeftOver: left, Err: errors.Join(errs...),
		Op: fmt.Sprintf("launch pool: %d of %d failed (%s)", len(r.Failed), len(r.Failed)+len(r.Successful)+len(r.Existing), strings.Join(names, ", ")),
	}
	if len(r.Successful)+len(r.Existing) == 0 {
		e.Kind = errkind.Of(r.Failed[0].Err)
	}
	return e
}

// PlanPool plans count VMs of the kind that r describes; r.Name is the pool's. VMs of the pool that are finished stay as
// they are, unfinished ones are resumed, so repeating the call repairs failures. A VM that has one of the pool's names but
// is not part of the pool is a Conflict. The number of requests does not depend on count.
func (l *Launcher) PlanPool(ctx context.Context, r Request, count int, display *progress.Display) (*PoolPlan, error) {
	if count < 1 || count > MaxPool {
		return nil, errkind.New(errkind.Invalid, "a pool of %d VMs: use 1 to %d", count, MaxPool)
	}
	if err := vm.ValidateName(vm.PoolName(r.Name, count, count)); err != nil {
		return nil, err
	}
	if r.Pool != "" && r.Pool != r.Name {
		return nil, errkind.New(errkind.Invalid, "the request names the pools %s and %s", r.Name, r.Pool)
	}
	if r.SessionName != "" {
		return nil, errkind.New(errkind.Invalid, "a pool has a session for each VM: SessionName (%s) must be empty", r.SessionName)
	}
	pool := &PoolPlan{Name: r.Name, Count: count}
	group := cmp.Or(r.ResourceGroup, l.Target.ResourceGroup)
	r.Pool = r.Name
	earlier, err := l.earlierOf(group, pool)
	if err != nil {
		return nil, err
	}
	first, err := l.prepare(r, oldest(earlier))
	if err != nil {
		return nil, err
	}
	if err := l.checkMachine(ctx, first.request, display); err != nil {
		return nil, err
	}
	begin(display, stageSignIn)
	if err := l.members(ctx, pool, first, earlier); err != nil {
		return nil, failed(display, err)
	}
	_ = display.CompleteStage() // it was started above
	if len(pool.Plans) > 0 {
		if err := l.readKey(ctx, display, pool.Plans...); err != nil {
			return nil, err
		}
	} else {
		begin(display, stageKey)
		_ = display.SkipStage("nothing is to be made") // it was started above
	}
	begin(display, stagePlan)
	if len(pool.Plans) > 0 {
		if err := l.planMembers(ctx, pool, display); err != nil {
			return nil, failed(display, err)
		}
	}
	_ = display.CompleteStage() // it was started above
	return pool, nil
}

// earlierOf finds the unfinished launches of the pool's VMs that this machine started, by name.
func (l *Launcher) earlierOf(group string, pool *PoolPlan) (map[string]*change.Operation, error) {
	all, err := l.Operations.List()
	if err != nil {
		return nil, err
	}
	found := map[string]*change.Operation{}
	for n := 1; n <= pool.Count; n++ {
		name := vm.PoolName(pool.Name, n, pool.Count)
		for _, op := range all {
			if op.HostKey != nil && l.launchOf(group, name)(op) {
				found[name] = op
			}
		}
	}
	return found, nil
}

func oldest(all map[string]*change.Operation) *change.Operation {
	var first *change.Operation
	for _, op := range all {
		if first == nil || op.Created.Before(first.Created) {
			first = op
		}
	}
	return first
}

// members sorts the pool's VMs into existing ones and those to create.
func (l *Launcher) members(ctx context.Context, pool *PoolPlan, first *Plan, earlier map[string]*change.Operation) error {
	group := first.Config.ResourceGroup
	listing, err := l.VMs.List(ctx, vm.ListOptions{ResourceGroup: group, All: true})
	if err != nil && !azure.IsNotFound(err) {
		return err
	}
	for n := 1; n <= pool.Count; n++ {
		if err := vm.NotASession(listing.VMs, vm.PoolName(pool.Name, n, pool.Count)); err != nil {
			return err
		}
	}
	there := map[string]vm.Info{}
	for _, i := range listing.VMs {
		there[strings.ToLower(i.Name)] = i
	}
	for n := 1; n <= pool.Count; n++ {
		name := vm.PoolName(pool.Name, n, pool.Count)
		i, exists := there[strings.ToLower(name)]
		if exists {
			if of, _ := azure.Tag(i.Tags, azure.TagPool); !i.Managed || !strings.EqualFold(of, pool.Name) {
				return &errkind.Error{
					Kind: errkind.Conflict, Op: "launch pool", Resource: name,
					Err: fmt.Errorf("a VM of this name exists in %s and is not of the pool %s", group, pool.Name),
				}
			}
			if i.Finished() {
				pool.Existing = append(pool.Existing, i)
				continue
			}
		}
		p := *first
		p.Config.Name, p.Config.SessionName = name, ""
		p.Resumes = exists || earlier[name] != nil
		if p.op = earlier[name]; p.op == nil || !exists && !p.op.Provisional() {
			if p.op != nil {
				if err := l.Operations.Remove(p.op); err != nil {
					return err
				}
			}
			if p.op, err = newOperation(l.Target.SubscriptionID, group, name, time.Now()); err != nil {
				return err
			}
		}
		p.Config.OperationID, p.Config.HostKey = p.op.ID, p.op.HostKey.Public
		pool.Plans = append(pool.Plans, &p)
	}
	return nil
}

// planMembers plans the first VM with the quota of all, and the others from its plan.
func (l *Launcher) planMembers(ctx context.Context, pool *PoolPlan, display *progress.Display) error {
	lead := *pool.Plans[0]
	lead.Resumes, lead.count = false, 0
	for _, p := range pool.Plans {
		if !p.Resumes {
			lead.count++
		}
	}
	if err := l.settle(ctx, &lead, display); err != nil {
		return err
	}
	for _, p := range pool.Plans {
		own := *p
		*p = lead
		p.op, p.Resumes, p.count = own.op, own.Resumes, 1
		p.Config.Name, p.Config.SessionName = own.Config.Name, own.Config.SessionName
		p.Config.OperationID, p.Config.HostKey = own.Config.OperationID, own.Config.HostKey
		p.tried = nil
		if err := p.keepRequest(); err != nil {
			return err
		}
	}
	return nil
}

// atOnce limits how many VMs of a pool are created in parallel; package azure also paces requests.
const atOnce = 64

// RunPool carries out the plan, all VMs in parallel. The error is PoolResult.Err's when VMs failed; the result is nil only
// when nothing was tried.
func (l *Launcher) RunPool(ctx context.Context, pool *PoolPlan, display *progress.Display) (*PoolResult, error) {
	began := time.Now()
	result := &PoolResult{Existing: pool.Existing}
	if err := writeKey(pool.Plans...); err != nil {
		return nil, err
	}
	// All are saved before the first write, so an interrupted launch finds each of them again.
	for _, p := range pool.Plans {
		if err := l.remember(p, stageVM, nil); err != nil {
			return nil, err
		}
	}
	results := make([]*Result, len(pool.Plans))
	errs := make([]error, len(pool.Plans))
	begin(display, stageVM)
	board := &scoreboard{display: display, total: pool.Count, ready: len(pool.Existing)}
	batch.Each(ctx, len(pool.Plans), atOnce, func(n int) {
		p := pool.Plans[n]
		results[n], errs[n] = l.run(ctx, p, progress.New(0, board.of(p.Config.Name)))
		if errs[n] != nil {
			_ = l.keepFailure(p, errs[n]) // as Run does
		}
		board.ended(p.Config.Name, errs[n])
	})
	for n, p := range pool.Plans {
		if errs[n] == nil {
			result.Successful = append(result.Successful, results[n])
			continue
		}
		failure := &provision.ProvisioningFailure{VM: p.Config.Name, Stage: p.op.Stage, Code: azure.Code(errs[n]), Err: errs[n]}
		if f, ok := errors.AsType[*provision.ProvisioningFailure](errs[n]); ok {
			failure.LeftOver = f.LeftOver
		}
		result.Failed = append(result.Failed, failure)
	}
	result.TotalTime = time.Since(began)
	if err := result.Err(); err != nil {
		_ = failed(display, err)
		if l.Notifier != nil && ctx.Err() == nil {
			l.Notifier.NotifyError(ctx, "pool "+pool.Name+": "+err.Error()) // best effort
		}
		return result, err
	}
	_ = display.CompleteStage() // it was started above
	if l.Notifier != nil && l.Notifier.IsAvailable() {
		l.Notifier.NotifyCompletion(ctx, fmt.Sprintf("pool %s (%d VMs)", pool.Name, pool.Count), "") // best effort
	}
	return result, nil
}

// scoreboard combines the progress of many VMs into one line.
type scoreboard struct {
	mu             sync.Mutex
	display        *progress.Display
	total          int
	ready, refused int
}

// of returns the sink of one VM.
func (b *scoreboard) of(name string) progress.Sink {
	return func(e progress.Event) {
		if e.Phase == progress.Started || e.Phase == progress.Updated {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.say(name + ": " + e.Message)
		}
	}
}

func (b *scoreboard) ended(name string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.refused++
		line, _, _ := strings.Cut(err.Error(), "\n")
		b.say(name + ": " + line)
		return
	}
	b.ready++
	b.say(name + " is ready")
}

func (b *scoreboard) say(line string) {
	score := fmt.Sprintf("%d of %d ready", b.ready, b.total)
	if b.refused > 0 {
		score += fmt.Sprintf(", %d failed", b.refused)
	}
	_ = b.display.Update(score + "; " + line) // the stage is open
}
