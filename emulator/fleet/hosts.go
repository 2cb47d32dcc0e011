// Package fleet keeps the hosts in line with the virtual machines that Azure Resource Manager knows.
package fleet

import (
	"context"
	"log/slog"
	"reflect"
	"sync"

	"github.com/azlin-dev/azlin/emulator/compute"
	"github.com/azlin-dev/azlin/emulator/host"
)

// Hosts keeps the runtime in step with the resources: it is what compute boots VMs with, and it
// carries changes of addresses and rules over to the VMs that run.
type Hosts struct {
	Rt   *host.Runtime
	log  *slog.Logger
	work sync.WaitGroup

	mu      sync.Mutex
	known   map[string]bool            // ids that the runtime knows
	sent    map[string]compute.Machine // what the running ones were last told
	leaving map[string]chan struct{}   // closed when a removal is through
	booted  map[string]bool            // ids of those that were booted, and not only made known
	asked   int                        // reconciliations

	step sync.Mutex // one reconciliation at a time, so that an old view never overwrites a new one
	done int        // the last reconciliation that was asked for before one began that is over; behind step
}

// eager is how many hosts boot when their VM starts. What a larger fleet has beyond that boots when somebody connects,
// as seeded VMs do: nobody looks into all of them.
const eager = 256

// NewHosts makes hosts of a runtime, none of which has booted.
func NewHosts(rt *host.Runtime, log *slog.Logger) *Hosts {
	return &Hosts{Rt: rt, log: log, known: map[string]bool{}, sent: map[string]compute.Machine{}, leaving: map[string]chan struct{}{}, booted: map[string]bool{}}
}

// Start boots a VM. A removal of an earlier VM of the same name is waited for.
func (h *Hosts) Start(ctx context.Context, m compute.Machine) error {
	h.mu.Lock()
	gone := h.leaving[m.ID]
	h.mu.Unlock()
	if gone != nil {
		select {
		case <-gone:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	h.mu.Lock()
	h.known[m.ID] = true
	if len(h.booted) >= eager && !h.booted[m.ID] {
		m.Lazy = true
	}
	if !m.Lazy {
		h.booted[m.ID] = true
	}
	h.mu.Unlock()
	if err := h.Rt.Start(ctx, toHost(m)); err != nil {
		return err
	}
	h.mu.Lock()
	h.sent[m.ID] = m
	h.mu.Unlock()
	return nil
}

func toHost(m compute.Machine) host.Machine {
	return host.Machine{
		ID: m.ID, VMID: m.VMID, Hostname: m.Hostname, AdminUser: m.AdminUser, AdminKeys: m.AdminKeys,
		CustomData: m.CustomData, Addresses: m.Addresses, Admitted: m.Admitted, Lazy: m.Lazy, Disk: m.Disk,
	}
}

// Stop ends a VM's processes.
func (h *Hosts) Stop(ctx context.Context, id string) error {
	h.mu.Lock()
	delete(h.sent, id)
	delete(h.booted, id)
	known := h.known[id]
	h.mu.Unlock()
	if !known {
		return nil
	}
	return h.Rt.Stop(ctx, id)
}

// Restart boots a VM again.
func (h *Hosts) Restart(ctx context.Context, id string) error { return h.Rt.Restart(ctx, id) }

// Run runs a script as root.
func (h *Hosts) Run(ctx context.Context, id, script string, params []string) (compute.RunResult, error) {
	r, err := h.Rt.Run(ctx, id, script, params)
	return compute.RunResult{Stdout: r.Stdout, Stderr: r.Stderr, ExitCode: r.ExitCode}, err
}

// PutUser makes a user, or adds keys to one.
func (h *Hosts) PutUser(ctx context.Context, id, user string, keys []string) error {
	return h.Rt.PutUser(ctx, id, user, keys)
}

// Console returns a VM's serial log.
func (h *Hosts) Console(id string) ([]byte, error) { return h.Rt.Console(id) }

// Keep copies what a VM has on its disk.
func (h *Hosts) Keep(ctx context.Context, id, key string) error { return h.Rt.Keep(ctx, id, key) }

// CopyKept copies what was kept.
func (h *Hosts) CopyKept(ctx context.Context, from, to string) error {
	return h.Rt.CopyKept(ctx, from, to)
}

// Forget removes what was kept. Its caller does not wait for the disk.
func (h *Hosts) Forget(key string) {
	remove, err := h.Rt.Forget(key)
	if err != nil {
		h.log.Error("forget a disk", "id", key, "err", err)
		return
	}
	h.work.Go(func() {
		if err := remove(); err != nil {
			h.log.Error("forget a disk", "id", key, "err", err)
		}
	})
}

// Restore makes the runtime know the VMs of an earlier run: those that ran boot when somebody
// connects, those that did not keep their addresses silent.
func (h *Hosts) Restore(ctx context.Context, p *compute.Provider) {
	running, stopped, _ := p.Machines()
	for _, m := range running {
		m.Lazy = true
		if err := h.Start(ctx, m); err != nil {
			h.log.Error("restore VM", "id", m.ID, "err", err)
		}
	}
	for _, m := range stopped {
		h.silence(ctx, m)
	}
}

// silence makes the runtime know a VM that is switched off, so that its addresses do not answer.
func (h *Hosts) silence(ctx context.Context, m compute.Machine) {
	m.Lazy = true
	err := h.Start(ctx, m)
	if err == nil {
		err = h.Stop(ctx, m.ID)
	}
	if err != nil {
		h.log.Error("silence stopped VM", "id", m.ID, "err", err)
	}
}

// Reconcile tells the runtime what changed: VMs that are gone, seeded ones, addresses and admission. One that began
// after it was called will do for it.
func (h *Hosts) Reconcile(ctx context.Context, p *compute.Provider) {
	h.mu.Lock()
	h.asked++
	mine := h.asked
	h.mu.Unlock()
	h.step.Lock()
	defer h.step.Unlock()
	if h.done >= mine {
		return
	}
	h.mu.Lock()
	covered := h.asked
	h.mu.Unlock()
	defer func() { h.done = covered }()
	running, stopped, all := p.Machines()
	h.mu.Lock()
	var gone []string
	for id := range h.known {
		if !all[id] {
			gone = append(gone, id)
			delete(h.known, id)
			delete(h.sent, id)
			delete(h.booted, id)
		}
	}
	for _, id := range gone {
		done := make(chan struct{})
		h.leaving[id] = done
		h.work.Go(func() { h.remove(ctx, id, done) })
	}
	var start, update []compute.Machine
	for _, m := range running {
		old, ok := h.sent[m.ID]
		switch {
		case !ok && m.Lazy && !h.known[m.ID]:
			start = append(start, m)
		case ok && !same(old, m):
			update = append(update, m)
		}
	}
	var off []compute.Machine
	for _, m := range stopped {
		if !h.known[m.ID] {
			off = append(off, m)
		}
	}
	h.mu.Unlock()
	for _, m := range off {
		h.silence(ctx, m)
	}
	for _, m := range start {
		if err := h.Start(ctx, m); err != nil {
			h.log.Error("start VM", "id", m.ID, "err", err)
		}
	}
	for _, m := range update {
		if err := h.Rt.Update(ctx, toHost(m)); err != nil {
			h.log.Error("update VM", "id", m.ID, "err", err)
			continue
		}
		h.mu.Lock()
		h.sent[m.ID] = m
		h.mu.Unlock()
	}
}

func (h *Hosts) remove(ctx context.Context, id string, done chan struct{}) {
	if err := h.Rt.Remove(ctx, id); err != nil {
		h.log.Error("remove VM", "id", id, "err", err)
	}
	h.mu.Lock()
	if h.leaving[id] == done {
		delete(h.leaving, id)
	}
	h.mu.Unlock()
	close(done)
}

func same(a, b compute.Machine) bool {
	a.Lazy, b.Lazy = false, false
	return reflect.DeepEqual(a, b)
}

// Wait returns when all removals are through.
func (h *Hosts) Wait() { h.work.Wait() }
