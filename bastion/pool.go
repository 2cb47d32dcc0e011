package bastion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// PoolOptions limit a Pool. The zero value is ready for use.
type PoolOptions struct {
	MaxTunnels      int           // 0: 10
	TTL             time.Duration // how long a tunnel may be reused; 0: one hour
	CleanupInterval time.Duration // 0: five minutes
	Patience        time.Duration // how long Get waits for a tunnel when its context has no deadline; 0: 30 seconds
}

// PooledTunnel is a local port that leads to a VM's SSH server.
type PooledTunnel struct {
	ID        string    `json:"tunnel_id"`
	VM        string    `json:"vm_name"`
	VMID      string    `json:"vm_id"`      // ARM id, the pool's key
	LocalPort int       `json:"local_port"` // on 127.0.0.1
	CreatedAt time.Time `json:"created_at"`
	LastUsed  time.Time `json:"last_used"`
}

// Pool keeps tunnels to VMs open for reuse. There is one tunnel per VM, which any number of users share. It is safe for
// concurrent use. Close it.
type Pool struct {
	service *Service
	o       PoolOptions
	stop    context.CancelFunc
	tidying sync.WaitGroup

	mu      sync.Mutex
	tunnels map[string]*pooled // by key of the VM's id
	retired map[string]*pooled // by tunnel id: dead, but not yet released by all users
	changed chan struct{}      // closed when a tunnel was released or closed
	closed  bool
}

type pooled struct {
	PooledTunnel

	forward *Forward
	users   int
	checked time.Time
	opening bool
}

// NewPool creates a pool whose clean-up runs until Close.
func (s *Service) NewPool(o PoolOptions) *Pool {
	o.MaxTunnels, o.TTL = cmp.Or(o.MaxTunnels, 10), cmp.Or(o.TTL, time.Hour)
	o.CleanupInterval, o.Patience = cmp.Or(o.CleanupInterval, 5*time.Minute), cmp.Or(o.Patience, 30*time.Second)
	p := &Pool{service: s, o: o, tunnels: map[string]*pooled{}, retired: map[string]*pooled{}, changed: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	daemon := CleanupDaemon{Service: s, Pools: []*Pool{p}, Interval: o.CleanupInterval}
	p.tidying.Go(func() { daemon.Run(ctx) })
	return p
}

// tell wakes all waiting callers. The lock must be held.
func (p *Pool) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// checkedFor is how long a successful check of a tunnel is valid.
const checkedFor = time.Second

// GetByName is Get for a VM and a Bastion of one resource group (one request, for the Bastion).
func (p *Pool) GetByName(ctx context.Context, vmName, bastionName, group string) (PooledTunnel, error) {
	b, err := p.service.Get(ctx, group, bastionName)
	if err != nil {
		return PooledTunnel{}, err
	}
	id := azure.NewID(p.service.azure.SubscriptionID(), group, "Microsoft.Compute", "virtualMachines", vmName)
	return p.Get(ctx, id.String(), b)
}

// Get returns the tunnel to a VM, and opens one through b if there is none. The VM's SSH server has answered through it.
// When the pool is full, the tunnel idle for longest is closed. If all are in use, it waits until ctx ends and returns
// ErrPoolExhausted. Return the tunnel with Release.
func (p *Pool) Get(ctx context.Context, vmID string, b Bastion) (PooledTunnel, error) {
	id, err := azure.ParseID(vmID)
	if err != nil {
		return PooledTunnel{}, err
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.o.Patience)
		defer cancel()
	}
	var dead error
	for tries := 0; tries < 3; {
		e, fresh, err := p.take(ctx, id)
		if err != nil {
			return PooledTunnel{}, err
		}
		if fresh {
			err = p.open(ctx, e, b)
		} else {
			err = p.check(ctx, e)
		}
		if err == nil {
			return p.handOut(e), nil
		}
		p.discard(e) //nolint:contextcheck // closing has a deadline of its own
		if fresh || ctx.Err() != nil {
			return PooledTunnel{}, err
		}
		dead = err
		tries++
	}
	return PooledTunnel{}, dead
}

// take adds a user to the VM's tunnel. With fresh, the caller must open it first.
func (p *Pool) take(ctx context.Context, id azure.ID) (e *pooled, fresh bool, err error) {
	key := id.Key()
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, false, ErrPoolClosed
		}
		var out []*pooled
		e := p.tunnels[key]
		if e != nil && !e.opening && e.users == 0 && p.expired(e) {
			delete(p.tunnels, key)
			out, e = append(out, e), nil
		}
		switch {
		case e != nil && !e.opening:
			e.users++
			p.mu.Unlock()
			return e, false, nil
		case e == nil:
			if len(p.tunnels)+len(p.retired) >= p.o.MaxTunnels {
				if idle := p.idlest(); idle != nil {
					delete(p.tunnels, azure.IDKey(idle.VMID))
					out = append(out, idle)
				}
			}
			if len(p.tunnels)+len(p.retired) < p.o.MaxTunnels {
				now := time.Now().UTC()
				e = &pooled{PooledTunnel: PooledTunnel{ID: uuid.NewString(), VM: id.Name(), VMID: id.String(), CreatedAt: now, LastUsed: now}, users: 1, opening: true}
				p.tunnels[key] = e
				p.mu.Unlock()
				_ = closeAll(out) //nolint:contextcheck // closing has a deadline of its own
				return e, true, nil
			}
		}
		changed := p.changed
		p.mu.Unlock()
		_ = closeAll(out) //nolint:contextcheck // closing has a deadline of its own
		select {
		case <-changed:
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), context.Canceled) {
				return nil, false, context.Cause(ctx)
			}
			return nil, false, &errkind.Error{
				Kind: errkind.Conflict, Op: "tunnel to", Resource: id.Name(), Class: ErrPoolExhausted,
				Err: fmt.Errorf("%w: %d, and none was given back in time", ErrPoolExhausted, p.o.MaxTunnels),
			}
		}
	}
}

// idlest is the unused tunnel that was used longest ago, or nil. The lock must be held.
func (p *Pool) idlest() *pooled {
	var found *pooled
	for _, e := range p.tunnels {
		if e.users == 0 && !e.opening && (found == nil || e.LastUsed.Before(found.LastUsed)) {
			found = e
		}
	}
	return found
}

func (p *Pool) expired(e *pooled) bool { return time.Since(e.CreatedAt) >= p.o.TTL }

// open opens a new tunnel and checks that its VM answers.
func (p *Pool) open(ctx context.Context, e *pooled, b Bastion) error {
	f, err := p.service.Forward(ctx, b, Target{VM: e.VMID}, 0, nil)
	if err == nil {
		if err = f.Check(ctx); err != nil {
			err = errors.Join(err, f.Close()) //nolint:contextcheck // closing has a deadline of its own
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.tell()
	e.opening = false
	if err != nil {
		return err
	}
	e.forward, e.LocalPort, e.checked = f, f.Port(), time.Now()
	if p.closed { // closed meanwhile
		return ErrPoolClosed
	}
	return nil
}

func (p *Pool) check(ctx context.Context, e *pooled) error {
	p.mu.Lock()
	lately, f := time.Since(e.checked) < checkedFor, e.forward
	p.mu.Unlock()
	if lately {
		return nil
	}
	if err := f.Check(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	e.checked = time.Now()
	p.mu.Unlock()
	return nil
}

func (p *Pool) handOut(e *pooled) PooledTunnel {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.LastUsed = time.Now().UTC()
	return e.PooledTunnel
}

// discard removes a broken tunnel from the pool. Its other users keep it until they release it.
func (p *Pool) discard(e *pooled) {
	p.mu.Lock()
	if key := azure.IDKey(e.VMID); p.tunnels[key] == e {
		delete(p.tunnels, key)
	}
	e.users--
	last := e.users <= 0
	if last {
		delete(p.retired, e.ID)
	} else {
		p.retired[e.ID] = e
	}
	p.tell()
	p.mu.Unlock()
	if last {
		_ = closeAll([]*pooled{e})
	}
}

// Release returns a tunnel to the pool. An unknown id is not an error: the pool may have been closed.
func (p *Pool) Release(tunnelID string) {
	p.mu.Lock()
	var out []*pooled
	for _, e := range p.tunnels {
		if e.ID == tunnelID && e.users > 0 {
			e.users--
			e.LastUsed = time.Now().UTC()
		}
	}
	if e := p.retired[tunnelID]; e != nil {
		if e.users--; e.users <= 0 {
			delete(p.retired, tunnelID)
			out = append(out, e)
		}
	}
	p.tell()
	p.mu.Unlock()
	_ = closeAll(out)
}

// Tunnels returns the open tunnels, the most recently used first.
func (p *Pool) Tunnels() []PooledTunnel {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := []PooledTunnel{}
	for _, e := range p.tunnels {
		if !e.opening {
			l = append(l, e.PooledTunnel)
		}
	}
	slices.SortFunc(l, func(a, b PooledTunnel) int {
		return cmp.Or(b.LastUsed.Compare(a.LastUsed), cmp.Compare(a.ID, b.ID))
	})
	return l
}

// tidy closes unused tunnels that have expired or do not answer.
func (p *Pool) tidy(ctx context.Context) {
	p.mu.Lock()
	var out, look []*pooled
	for key, e := range p.tunnels {
		switch {
		case e.opening || e.users > 0:
		case p.expired(e):
			delete(p.tunnels, key)
			out = append(out, e)
		default:
			e.users++ // prevents closing it meanwhile
			look = append(look, e)
		}
	}
	p.mu.Unlock()
	_ = closeAll(out) //nolint:contextcheck // closing has a deadline of its own
	for _, e := range look {
		limited, cancel := context.WithTimeout(ctx, p.o.Patience)
		err := p.check(limited, e)
		cancel()
		if err != nil && ctx.Err() == nil {
			p.discard(e) //nolint:contextcheck // closing has a deadline of its own
			continue
		}
		p.mu.Lock()
		e.users--
		p.tell()
		p.mu.Unlock()
	}
}

// Close closes all tunnels, including those in use, and ends the clean-up.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	var out []*pooled
	for _, m := range []map[string]*pooled{p.tunnels, p.retired} {
		for _, e := range m {
			if !e.opening { // its opener will find the pool closed
				out = append(out, e)
			}
		}
		clear(m)
	}
	p.tell()
	p.mu.Unlock()
	p.stop()
	p.tidying.Wait()
	return closeAll(out)
}

// closeAll closes tunnels in parallel, because each may take a moment. What a Bastion does not end now is left to the next
// clean-up.
func closeAll(l []*pooled) error {
	errs := make([]error, len(l))
	var all sync.WaitGroup
	for i, e := range l {
		if e.forward != nil {
			all.Go(func() { errs[i] = e.forward.Close() })
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// CleanupDaemon closes what is no longer needed: unused tunnels of pools that have expired or do not answer, and sessions
// that killed processes left at Bastions.
type CleanupDaemon struct {
	Service  *Service
	Pools    []*Pool
	Interval time.Duration // 0: five minutes
}

// Run cleans up now and at every interval, until ctx ends.
func (d CleanupDaemon) Run(ctx context.Context) {
	t := time.NewTicker(cmp.Or(d.Interval, 5*time.Minute))
	defer t.Stop()
	for {
		_, _ = d.Once(ctx) // failures are retried at the next interval
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Once cleans up.
func (d CleanupDaemon) Once(ctx context.Context) (Sweep, error) {
	for _, p := range d.Pools {
		p.tidy(ctx)
	}
	return d.Service.Sweep(ctx)
}
