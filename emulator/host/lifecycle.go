package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Start boots a VM, unless it runs already, and returns when SSH answers; cloud-init's last stage goes on in the
// background. A lazy VM only gets its listeners.
func (r *Runtime) Start(ctx context.Context, def Machine) error {
	if err := r.Available(); err != nil {
		return fmt.Errorf("start host %s: %w", def.ID, err)
	}
	m, err := r.adopt(def)
	if err != nil {
		return fmt.Errorf("start host %s: %w", def.ID, err)
	}
	m.lifecycle.Lock()
	defer m.lifecycle.Unlock()
	m.set(func() { m.def = def })
	if def.Lazy && m.guestNow() == nil {
		m.setState(stateLazy)
		err = m.listen()
	} else {
		err = m.boot(ctx)
	}
	if err != nil {
		return fmt.Errorf("start host %s: %w", def.ID, err)
	}
	return nil
}

// adopt returns the VM of this id, a new one if need be.
func (r *Runtime) adopt(def Machine) (*machine, error) {
	id := strings.ToLower(def.ID)
	if id == "" {
		return nil, errors.New("no id")
	}
	for _, a := range def.Addresses {
		if !a.IsLoopback() {
			return nil, fmt.Errorf("%s is no loopback address", a)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.New("the runtime is closed")
	}
	m, ok := r.machines[id]
	if !ok {
		m = newMachine(r, def)
		r.machines[id] = m
	}
	return m, nil
}

// Update applies changed addresses, admission or keys. Connections that are open stay open, as with Azure's
// network security groups.
func (r *Runtime) Update(ctx context.Context, def Machine) error {
	m, err := r.find(def.ID)
	if err != nil {
		return fmt.Errorf("update host: %w", err)
	}
	m.lifecycle.Lock()
	defer m.lifecycle.Unlock()
	before := m.definition()
	m.set(func() { m.def = def })
	if err := m.listen(); err != nil {
		return fmt.Errorf("update host %s: %w", def.ID, err)
	}
	if g := m.guestNow(); g != nil && !slices.Equal(before.AdminKeys, def.AdminKeys) {
		if err := g.PutUser(ctx, def.AdminUser, def.AdminKeys); err != nil {
			return fmt.Errorf("update host %s: %w", def.ID, err)
		}
	}
	return nil
}

// Stop kills all processes of a VM. Its files stay; connections to its addresses time out.
func (r *Runtime) Stop(_ context.Context, id string) error {
	m, err := r.find(id)
	if err != nil {
		return fmt.Errorf("stop host: %w", err)
	}
	m.interrupt()
	m.lifecycle.Lock()
	defer m.lifecycle.Unlock()
	if err := m.stop(); err != nil {
		return fmt.Errorf("stop host %s: %w", id, err)
	}
	return nil
}

// Restart boots a VM anew, with its files.
func (r *Runtime) Restart(ctx context.Context, id string) error {
	m, err := r.find(id)
	if err != nil {
		return fmt.Errorf("restart host: %w", err)
	}
	m.interrupt()
	m.lifecycle.Lock()
	defer m.lifecycle.Unlock()
	if err := errors.Join(m.stop(), m.boot(ctx)); err != nil {
		return fmt.Errorf("restart host %s: %w", id, err)
	}
	return nil
}

// Remove ends a VM and deletes its files; its addresses are free. An unknown one is removed already.
func (r *Runtime) Remove(_ context.Context, id string) error {
	id = strings.ToLower(id)
	r.mu.Lock()
	m := r.machines[id]
	delete(r.machines, id)
	r.mu.Unlock()
	if m != nil {
		m.interrupt()
		m.lifecycle.Lock()
		defer m.lifecycle.Unlock()
		m.shutDown()
	}
	if err := r.files.remove(id); err != nil {
		return fmt.Errorf("remove host %s: %w", id, err)
	}
	return nil
}

// PutUser creates a user who may log in and use sudo, or adds keys to one, as the VMAccess extension does.
func (r *Runtime) PutUser(ctx context.Context, id, user string, keys []string) error {
	m, err := r.find(id)
	if err != nil {
		return fmt.Errorf("put user: %w", err)
	}
	g, err := m.booted(ctx)
	if err == nil {
		err = g.PutUser(ctx, user, keys)
	}
	if err != nil {
		return fmt.Errorf("put user %s on %s: %w", user, id, err)
	}
	return nil
}

// Console returns the end of the serial console's log: boot lines, cloud-init's, and its host key block.
func (r *Runtime) Console(id string) ([]byte, error) {
	m, err := r.find(id)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return m.console.bytes(), nil
}
