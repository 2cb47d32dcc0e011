// Package host runs emulated VMs as hosts: real SSH on loopback addresses of their own, in front of Linux
// namespaces. The emulator's process owns the listeners, decides who is let through, and speaks SSH (package
// sshd); what a session does happens inside the VM, where an agent is pid 1 (packages agent and guest).
//
// Inside a VM the host's programs are there to read (/usr and its relatives), /etc, /opt and /usr/local are the
// host's with the VM's changes on top, /home, /root, /var and /tmp are its own. All of it runs with one
// unprivileged host user id, never 0. Not separated from the host are its network (loopback is shared, so a VM
// reaches what listens there, and two VMs cannot use one port), its kernel, memory, disk and load, of which a VM may
// take all it gets. There is no systemd and no mount(8) for root. apt, pipx, npm and their like are stand-ins that
// install what package software knows, and can be told to fail; nothing is fetched. What /sys, /proc/meminfo and df
// tell is about the host.
//
// A stopped VM, or one whose network rules do not admit the operator, lets connections time out as in Azure; a
// VM that boots refuses them.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gofrs/flock"

	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/emulator/host/guest"
)

// Mode says what keeps VMs apart.
type Mode int

const (
	// Namespaces gives each VM its own processes, file system, host name and users. Linux only.
	Namespaces Mode = iota
	// Process runs a VM's commands as ordinary processes of the emulator's user, with a directory as home.
	// Nothing keeps them from the host: for systems without namespaces, by the user's explicit wish, and never for
	// root. There is no root inside either: cloud-init's commands are recorded instead of run, sudo refuses.
	Process
)

// Options are what Open needs.
type Options struct {
	// Dir keeps the VMs' files. Where root runs the emulator and the VMs' unprivileged user cannot reach it, a
	// directory below /var/lib/azlin-emulator serves instead.
	Dir  string
	Log  *slog.Logger // nil: silence
	Mode Mode
	Port int // 0: 22 where this user may listen there, else 2222
	// OperatorIP is the client's address as sessions see it in $SSH_CLIENT. Zero: the real one.
	OperatorIP netip.Addr
}

// Machine is what the emulator knows of a VM.
type Machine struct {
	ID         string // the key: the VM's lower-cased ARM id
	VMID       string // cloud-init's instance id
	Hostname   string
	AdminUser  string
	AdminKeys  []string     // authorized_keys lines
	CustomData []byte       // decoded: cloud-init YAML, a script, or empty
	Addresses  []netip.Addr // loopback addresses of its public IPs; empty: nobody listens
	Admitted   bool         // the inbound rules admit the operator at the SSH port
	Lazy       bool         // boot at the first connection instead of now
	Disk       string       // the key of a disk that was kept, with which the VM begins; empty: the image's
}

// Status is what can be seen of a VM from outside.
type Status struct {
	ID        string       `json:"id"`
	Hostname  string       `json:"hostname"`
	Addresses []netip.Addr `json:"addresses"`
	Port      int          `json:"port"`
	State     string       `json:"state"` // booting, running, stopped or lazy
}

// ErrUnknown is returned for an id that was never started.
var ErrUnknown = errors.New("unknown VM")

// Runtime runs VMs. Its methods may be called from several goroutines at once.
type Runtime struct {
	log      *slog.Logger
	mode     Mode
	port     int
	operator netip.Addr
	files    *files
	lock     *flock.Flock
	launcher *guest.Launcher

	probe  func() error
	faults atomic.Pointer[func(vm string) *fault.Rule] // see SetFaults

	ctx    context.Context //nolint:containedctx // the runtime's own life, not a caller's
	cancel context.CancelFunc

	mu       sync.Mutex
	machines map[string]*machine
	closed   bool
}

// Open prepares a runtime over the files of an earlier one. It boots nothing.
func Open(o Options) (*Runtime, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Dir == "" {
		return nil, errors.New("open hosts: no directory")
	}
	f, err := openFiles(o.Dir, o.Mode)
	if err != nil {
		return nil, fmt.Errorf("open hosts: %w", err)
	}
	lock := flock.New(f.lockFile())
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("open hosts: lock: %w", err)
	}
	if !held {
		return nil, fmt.Errorf("open hosts: %s is in use by another emulator", o.Dir)
	}
	if err := f.clean(); err != nil {
		_ = lock.Unlock()
		return nil, fmt.Errorf("open hosts: %w", err)
	}
	port := o.Port
	if port == 0 {
		port = choosePort()
	}
	r := &Runtime{
		log: o.Log, mode: o.Mode, port: port, operator: o.OperatorIP, files: f, lock: lock,
		launcher: guest.NewLauncher(), machines: map[string]*machine{},
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.probe = sync.OnceValue(r.tryBoot)
	return r, nil
}

// Port returns the port on which all VMs answer SSH.
func (r *Runtime) Port() int { return r.port }

// Available returns nil where VMs can run, else what is missing and how to mend it. It tries once.
func (r *Runtime) Available() error { return r.probe() }

// Hosts lists the VMs by id.
func (r *Runtime) Hosts() []Status {
	r.mu.Lock()
	machines := make([]*machine, 0, len(r.machines))
	for _, m := range r.machines {
		machines = append(machines, m)
	}
	r.mu.Unlock()
	list := make([]Status, 0, len(machines))
	for _, m := range machines {
		list = append(list, m.status())
	}
	slices.SortFunc(list, func(a, b Status) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// Close stops all VMs. Their files stay.
func (r *Runtime) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	machines := r.machines
	r.machines = map[string]*machine{}
	r.mu.Unlock()

	r.cancel()
	var all sync.WaitGroup
	for _, m := range machines {
		all.Go(func() {
			m.interrupt()
			m.lifecycle.Lock()
			defer m.lifecycle.Unlock()
			m.shutDown()
		})
	}
	all.Wait()
	r.launcher.Close()
	return errors.Join(r.files.close(), r.lock.Unlock())
}

// find returns a VM that was started before.
func (r *Runtime) find(id string) (*machine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.machines[strings.ToLower(id)]
	if !ok {
		return nil, fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	return m, nil
}
