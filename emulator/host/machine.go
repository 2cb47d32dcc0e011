package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/emulator/host/guest"
	"github.com/azlin-dev/azlin/emulator/host/sshd"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// The states of a VM, as Status shows them.
const (
	stateLazy    = "lazy"
	stateBooting = "booting"
	stateRunning = "running"
	stateStopped = "stopped"
)

// maxConnections bounds the clients of one VM at a time.
const maxConnections = 256

// errStopped is returned for what needs a running VM.
var errStopped = errors.New("the VM is not running")

// machine is a VM of a runtime.
type machine struct {
	runtime *Runtime
	id      string
	console console

	lifecycle sync.Mutex // held while the VM boots, stops or changes its addresses

	mu      sync.Mutex
	def     Machine
	state   string
	guest   *guest.Guest
	signers []ssh.Signer
	life    context.Context //nolint:containedctx // from boot to stop: ends the connections
	end     context.CancelFunc
	abort   context.CancelFunc // ends the boot that is under way

	gates    map[netip.Addr]*gate // guarded by lifecycle
	clients  chan struct{}
	startups startups
}

func newMachine(r *Runtime, def Machine) *machine {
	return &machine{
		runtime: r, id: strings.ToLower(def.ID), def: def, state: stateStopped,
		gates: map[netip.Addr]*gate{}, clients: make(chan struct{}, maxConnections),
	}
}

func (m *machine) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (m *machine) setState(state string) { m.set(func() { m.state = state }) }

func (m *machine) definition() Machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.def
}

func (m *machine) guestNow() *guest.Guest {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.guest
}

func (m *machine) status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Status{ID: m.def.ID, Hostname: m.def.Hostname, Addresses: m.def.Addresses, Port: m.runtime.port, State: m.state}
}

// boot starts the VM unless it runs. The caller holds lifecycle.
func (m *machine) boot(ctx context.Context) error {
	if m.guestNow() != nil {
		return m.listen()
	}
	ctx, abort := context.WithCancel(ctx)
	defer abort()
	m.set(func() { m.state, m.abort = stateBooting, abort })
	if err := m.bootGuest(ctx); err != nil {
		m.setState(stateStopped)
		return errors.Join(err, m.listen())
	}
	m.setState(stateRunning)
	return m.listen()
}

func (m *machine) bootGuest(ctx context.Context) error {
	def := m.definition()
	if err := m.listen(); err != nil { // closes: a machine that boots refuses
		return err
	}
	place, err := m.runtime.files.machine(ctx, m.id, def.VMID, def.Disk)
	if err != nil {
		return err
	}
	keys, signers, err := place.hostKeys(def.CustomData)
	if err != nil {
		return err
	}
	template, err := m.runtime.files.template()
	if err != nil {
		return err
	}
	agent, err := m.runtime.files.agent()
	if err != nil {
		return err
	}
	m.console.write([]byte("Ubuntu 24.04.3 LTS " + def.Hostname + " ttyS0\n\n"))
	g, err := m.runtime.launcher.Boot(ctx, guest.Options{
		Boot: wire.Boot{
			Isolated: m.runtime.mode == Namespaces, Root: place.root, Template: template, Agent: agent,
			Hostname: def.Hostname, InstanceID: def.VMID, AdminUser: def.AdminUser, AdminKeys: def.AdminKeys,
			UserData: def.CustomData, HostKeys: keys,
		},
		UID: m.runtime.files.uid, GID: m.runtime.files.gid,
		Console: m.console.write,
		Power:   m.power,
	})
	if err != nil {
		return err
	}
	if live := signersOf(g.HostKeys()); live != nil {
		signers = live // root may have put others into /etc/ssh
	}
	life, end := context.WithCancel(m.runtime.ctx)
	m.set(func() { m.guest, m.signers, m.life, m.end = g, signers, life, end })
	go m.watch(g)
	return nil
}

// watch notices a VM that ended by itself.
func (m *machine) watch(g *guest.Guest) {
	<-g.Done()
	m.lifecycle.Lock()
	defer m.lifecycle.Unlock()
	if m.guestNow() != g {
		return // stopped on purpose
	}
	m.runtime.log.Warn("a VM ended by itself", "host", m.id)
	if err := m.stop(); err != nil {
		m.runtime.log.Warn("close listeners", "host", m.id, "error", err)
	}
}

// power does what root inside the VM asked for.
func (m *machine) power(reboot bool) {
	m.lifecycle.Lock()
	defer m.lifecycle.Unlock()
	err := m.stop()
	if err == nil && reboot {
		err = m.boot(m.runtime.ctx)
	}
	if err != nil {
		m.runtime.log.Warn("power change from inside", "host", m.id, "error", err)
	}
}

// interrupt ends a boot that is under way, whose end the caller then waits for: user data may hold it for ever.
func (m *machine) interrupt() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.abort != nil {
		m.abort()
	}
}

// stop ends the VM's processes and black-holes its addresses. The caller holds lifecycle.
func (m *machine) stop() error {
	m.kill()
	return m.listen()
}

func (m *machine) kill() {
	m.mu.Lock()
	g, end := m.guest, m.end
	m.guest, m.life, m.end, m.state = nil, nil, nil, stateStopped
	m.mu.Unlock()
	if g != nil {
		g.Kill()
		end()
	}
}

// shutDown ends the VM and frees its addresses.
func (m *machine) shutDown() {
	m.kill()
	for address, g := range m.gates {
		g.close()
		delete(m.gates, address)
	}
}

// booted returns the running guest, booting a lazy VM.
func (m *machine) booted(ctx context.Context) (*guest.Guest, error) {
	if g := m.guestNow(); g != nil {
		return g, nil
	}
	m.lifecycle.Lock()
	defer m.lifecycle.Unlock()
	if m.status().State == stateLazy {
		if err := m.boot(ctx); err != nil {
			return nil, err
		}
	}
	if g := m.guestNow(); g != nil {
		return g, nil
	}
	return nil, errStopped
}

// listen brings the listeners in line with the VM's addresses, state and admission. The caller holds lifecycle.
func (m *machine) listen() error {
	m.mu.Lock()
	def, state := m.def, m.state
	m.mu.Unlock()
	wanted := map[netip.Addr]bool{}
	for _, a := range def.Addresses {
		wanted[a] = true
	}
	for address, g := range m.gates {
		if !wanted[address] || state == stateBooting && def.Admitted && !def.Lazy {
			g.close()
			delete(m.gates, address)
		}
	}
	if state == stateBooting && def.Admitted && !def.Lazy {
		return nil
	}
	var errs []error
	open := def.Admitted && state != stateStopped
	for address := range wanted {
		if g := m.gates[address]; g != nil {
			errs = append(errs, g.admit(open))
			continue
		}
		g, err := openGate(net.JoinHostPort(address.String(), strconv.Itoa(m.runtime.port)), open, func(conn net.Conn) { m.handle(conn, m.struck()) })
		if err != nil {
			errs = append(errs, fmt.Errorf("listen: %w", err))
			continue
		}
		m.gates[address] = g
	}
	return errors.Join(errs...)
}

// handle serves one client, as far as the rule that strikes it lets it; nil: there is none.
func (m *machine) handle(conn net.Conn, rule *fault.Rule) {
	if rule != nil && rule.Effect == fault.SSHRefuse {
		reset(conn)
		return
	}
	select {
	case m.clients <- struct{}{}:
		defer func() { <-m.clients }()
	default:
		conn.Close()
		return
	}
	if _, err := m.booted(m.runtime.ctx); err != nil {
		m.runtime.log.Warn("boot at first connection", "host", m.id, "error", err)
		conn.Close()
		return
	}
	m.mu.Lock()
	g, signers, life, name := m.guest, m.signers, m.life, m.def.Hostname
	m.mu.Unlock()
	if g == nil {
		conn.Close()
		return
	}
	done, ok := m.startups.begin(rule)
	if !ok {
		conn.Close()
		return
	}
	defer done()
	if rule != nil && rule.Effect == fault.SSHHang {
		hang(life, conn)
		return
	}
	operator := m.runtime.operator
	if _, ok := conn.(inside); ok {
		operator = netip.Addr{} // it comes from where it says
	}
	server := sshd.Server{HostKeys: signers, Guest: g, Operator: operator, Hostname: name, Log: m.runtime.log, SignedIn: done}
	conn, gone := faulty(life, conn, rule)
	defer gone()
	if err := server.Serve(life, conn); err != nil {
		m.runtime.log.Debug("ssh connection", "host", m.id, "error", err)
	}
}
