//go:build unix

package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/agent/isolation"
	"github.com/azlin-dev/azlin/emulator/host/agent/reaper"
	"github.com/azlin-dev/azlin/emulator/host/cloudinit"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// machine is a VM as its pid 1 sees it.
type machine struct {
	boot   wire.Boot
	config *cloudinit.Config
	tree   account.Tree
	reaper *reaper.Reaper
	conn   *wire.Conn // to the emulator
	root   *server

	instance string // cloud-init's directory of this instance, below the tree
	fresh    bool   // the instance's first boot
	status   *status
	logs     logFiles

	mu     sync.Mutex
	agents map[string]userAgent // the running agents of login users
}

// runInit is pid 1. It ends when the emulator goes away, and with it, by the kernel's hand, all in the VM.
func runInit() error {
	ignoreSignals()
	if err := isolation.HideProcess(); err != nil {
		return err
	}
	conn, err := wire.FromFile(os.NewFile(controlFD, "control"))
	if err != nil {
		return err
	}
	m := &machine{conn: conn, reaper: reaper.NewReaper(), agents: map[string]userAgent{}}
	if _, err := conn.Receive(&m.boot); err != nil {
		return err
	}
	go m.reaper.Run()
	if err := m.start(); err != nil {
		_ = conn.Send(wire.Notice{Err: err.Error()})
		return err
	}
	if err := conn.Send(wire.Notice{Ready: true, HostKeys: m.boot.HostKeys}); err != nil {
		return err
	}
	go m.finish()
	if !m.boot.Isolated {
		defer m.endProcesses()
	}
	for {
		route, call, err := receiveRoute(conn)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		go m.dispatch(account.RootAccount().Name, route, call)
	}
}

// start takes the boot as far as sshd's start.
func (m *machine) start() error {
	m.root = &server{reaper: m.reaper, user: account.RootAccount().Name, admin: m}
	if m.boot.Isolated {
		if err := isolation.Isolate(m.boot); err != nil {
			return err
		}
		if err := installShims(); err != nil {
			return fmt.Errorf("install shims: %w", err)
		}
		m.root.prepare = isolation.ConfineRoot
	} else {
		m.tree = account.Tree(m.boot.Root)
		m.root.shims = m.tree.Path(processShims)
		if err := adoptOrphans(); err != nil {
			return fmt.Errorf("adopt orphans: %w", err)
		}
		if err := prepareTree(m.tree); err != nil {
			return err
		}
	}
	m.root.tree = m.tree
	config, err := cloudinit.Parse(m.boot.UserData)
	if err != nil {
		config = &cloudinit.Config{DefaultUser: true, Warnings: []string{err.Error()}}
	}
	m.config = config
	if err := m.seedSystem(); err != nil {
		return fmt.Errorf("seed /etc: %w", err)
	}
	if live := m.liveHostKeys(); live != nil {
		m.boot.HostKeys = live
	}
	if m.boot.Isolated {
		if err := showRelease(); err != nil {
			return err
		}
	}
	m.logBoot()
	if err := m.cloudInitEarly(); err != nil {
		return fmt.Errorf("cloud-init: %w", err)
	}
	if m.boot.Isolated {
		if err := m.listenFor(account.RootAccount().Name, isolation.RootSocketDir); err != nil {
			return fmt.Errorf("listen for sudo: %w", err)
		}
	}
	return nil
}

// dispatch hands a call to the agent of the identity it asks for, if the caller may have that identity.
func (m *machine) dispatch(caller string, route wire.Route, call *os.File) {
	defer call.Close()
	if route.User == "" {
		route.User = account.RootAccount().Name
	}
	target, err := m.tree.Lookup(route.User)
	if err == nil {
		err = m.allow(caller, target)
	}
	if err == nil && target.UID != 0 && m.boot.Isolated {
		err = m.forward(target, call)
		if err == nil {
			return
		}
	}
	conn, cerr := wire.FromFile(call)
	if cerr != nil {
		return
	}
	if err != nil {
		refuse(conn, err)
		return
	}
	s := m.root
	if !m.boot.Isolated && target.UID != 0 {
		s = &server{tree: m.tree, reaper: m.reaper, user: target.Name, shims: m.root.shims}
	}
	s.serve(conn)
}

// refuse answers a call that goes nowhere.
func refuse(conn *wire.Conn, err error) {
	defer conn.Close()
	_ = conn.Send(wire.Event{Err: err.Error(), NotFound: errors.Is(err, account.ErrNoUser)})
}

// userAgent is the agent of a login user.
type userAgent struct {
	conn    *wire.Conn
	process reaper.Command
}

// forward gives a call to the user's agent, starting one if there is none: it may have been killed, as any
// process of the user may.
func (m *machine) forward(who account.Account, call *os.File) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, ok := m.agents[who.Name]; ok {
		m.reaper.Signal(a.process, syscall.SIGCONT) // the user may have stopped all that is the user's
		if a.conn.Send(wire.Route{}, call) == nil {
			return nil
		}
		a.conn.Close()
		delete(m.agents, who.Name)
	}
	a, err := m.startUserAgent(who)
	if err != nil {
		return fmt.Errorf("start agent of %s: %w", who.Name, err)
	}
	m.agents[who.Name] = a
	return a.conn.Send(wire.Route{}, call)
}

// handle does what only root may ask for.
func (m *machine) handle(call *wire.Conn, req wire.Request) error {
	switch req.Op {
	case wire.OpUser:
		who, err := m.tree.AddUser(m.adminUser(req.User))
		if err != nil {
			return err
		}
		if err := m.permit(who.Name, []string{"ALL=(ALL) NOPASSWD:ALL"}); err != nil {
			return err
		}
		if err := m.tree.Authorize(who, req.Keys, true); err != nil {
			return err
		}
		return call.Send(wire.Event{})
	case wire.OpNote:
		uid := "(uid=0)"
		if who, err := m.tree.Lookup(req.User); err == nil {
			uid = fmt.Sprintf("(uid=%d)", who.UID)
		}
		var text strings.Builder
		for _, note := range req.Notes {
			from, what, _ := strings.Cut(strings.ReplaceAll(note, "\n", " "), ": ")
			text.WriteString(m.syslogLine(from, strings.ReplaceAll(what, "(uid=?)", uid)))
		}
		m.logs.add(m.tree, authLog, text.String())
		return nil
	case wire.OpReboot, wire.OpHalt:
		if err := call.Send(wire.Event{}); err != nil {
			return err
		}
		return m.conn.Send(wire.Notice{Reboot: req.Op == wire.OpReboot, Halt: req.Op == wire.OpHalt})
	}
	return fmt.Errorf("unknown request %q", req.Op)
}

// receiveRoute reads a route and the socket of its call.
func receiveRoute(conn *wire.Conn) (wire.Route, *os.File, error) {
	var route wire.Route
	files, err := conn.Receive(&route)
	if err != nil {
		return route, nil, err
	}
	if len(files) != 1 {
		wire.CloseFiles(files)
		return route, nil, fmt.Errorf("route with %d files", len(files))
	}
	return route, files[0], nil
}
