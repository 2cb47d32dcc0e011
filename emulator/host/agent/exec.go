//go:build unix

package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/creack/pty"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/agent/isolation"
	"github.com/azlin-dev/azlin/emulator/host/agent/reaper"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// exec runs a command and stays until it has ended.
func (s *server) exec(call *wire.Conn, e wire.Exec, files []*os.File) error {
	who, err := s.tree.Lookup(s.user)
	if err != nil {
		return err
	}
	streams, err := openStreams(e, files)
	if err != nil {
		return err
	}
	defer streams.close()
	env := s.environment(who, e, streams.terminalName())
	path, argv, err := s.resolve(who, e, env)
	if err != nil {
		return err
	}
	attr := &os.ProcAttr{
		Dir: s.directory(who, e.Dir), Env: env, Files: streams.child[:],
		Sys: &syscall.SysProcAttr{Setsid: true, Setctty: e.Terminal != nil, Ctty: streams.controlling},
	}
	cmd, err := s.reaper.Start(path, argv, attr, s.prepare)
	if err != nil {
		return err
	}
	if by := variable(e.Env, "SUDO_USER"); s.admin != nil && by != "" {
		s.admin.noteSudo(by, attr.Dir, variable(e.Env, "SUDO_COMMAND"))
	}
	if err := streams.announce(call); err != nil {
		s.reaper.Signal(cmd, syscall.SIGHUP)
	}
	streams.close() // the command has its own; so the other ends see its end
	wire.CloseFiles(files)

	go s.control(call, cmd)
	return call.Send(wire.Event{Exit: exitOf(<-cmd.Done)})
}

// control passes on signals until the asking end goes away, which by itself ends nothing: a command without a
// terminal outlives its connection, one with a terminal is hung up by the kernel.
func (s *server) control(call *wire.Conn, cmd reaper.Command) {
	for {
		var c wire.Control
		files, err := call.Receive(&c)
		if err != nil {
			return
		}
		wire.CloseFiles(files)
		if sig, ok := wire.Signals[c.Signal]; ok {
			s.reaper.Signal(cmd, sig)
		}
	}
}

// streams are a command's standard files.
type streams struct {
	child       [3]*os.File
	master      *os.File
	slave       *os.File
	controlling int // the child's descriptor that becomes its controlling terminal
}

func openStreams(e wire.Exec, files []*os.File) (*streams, error) {
	if e.Terminal == nil {
		if len(files) != 3 {
			return nil, fmt.Errorf("exec: %d standard streams", len(files))
		}
		return &streams{child: [3]*os.File(files)}, nil
	}
	if len(files) != len(e.Streams) || len(files) > 2 {
		return nil, errors.New("exec: streams do not match")
	}
	master, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open terminal: %w", err)
	}
	s := &streams{child: [3]*os.File{slave, slave, slave}, master: master, slave: slave}
	for i, fd := range e.Streams {
		if fd < 0 || fd > 2 {
			s.close()
			return nil, errors.New("exec: streams do not match")
		}
		s.child[fd] = files[i]
	}
	s.controlling = slices.Index(s.child[:], slave)
	if err := pty.Setsize(master, &pty.Winsize{Rows: e.Terminal.Size.Rows, Cols: e.Terminal.Size.Columns}); err != nil {
		s.close()
		return nil, fmt.Errorf("set terminal size: %w", err)
	}
	applyModes(slave, e.Terminal.Modes)
	return s, nil
}

func (s *streams) terminalName() string {
	if s.slave == nil {
		return ""
	}
	return s.slave.Name()
}

// announce tells that the command runs and hands over its terminal.
func (s *streams) announce(call *wire.Conn) error {
	if s.master == nil {
		return call.Send(wire.Event{Started: true})
	}
	return call.Send(wire.Event{Started: true}, s.master)
}

func (s *streams) close() {
	if s.master != nil {
		s.master.Close()
		s.slave.Close()
	}
}

// resolve finds the program and the arguments of a command.
func (s *server) resolve(who account.Account, e wire.Exec, env []string) (string, []string, error) {
	shell := filepath.Base(who.Shell)
	switch {
	case e.SFTP:
		self := "/proc/self/exe"
		if s.isolated() {
			self = isolation.AgentPath
		}
		return self, []string{"sftp-server", Marker, roleSFTP}, nil
	case e.Login && e.Command != "":
		return who.Shell, []string{"-" + shell, "-c", e.Command}, nil
	case e.Login:
		return who.Shell, []string{"-" + shell}, nil
	case e.Command != "":
		return who.Shell, []string{shell, "-c", e.Command}, nil
	case len(e.Argv) == 0 || e.Argv[0] == "":
		return "", nil, errors.New("exec: nothing to run")
	}
	path, err := lookPath(e.Argv[0], env)
	return path, e.Argv, err
}

// directory is where a command starts; a home that is gone does not keep anybody out.
func (s *server) directory(who account.Account, asked string) string {
	for _, dir := range []string{asked, s.tree.Path(who.Home)} {
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			return dir
		}
	}
	return "/"
}

func exitOf(status syscall.WaitStatus) *wire.Exit {
	if status.Signaled() {
		for name, sig := range wire.Signals {
			if sig == status.Signal() {
				return &wire.Exit{Code: 128 + int(sig), Signal: name, Core: status.CoreDump()}
			}
		}
		return &wire.Exit{Code: 128 + int(status.Signal()), Signal: "KILL"}
	}
	return &wire.Exit{Code: status.ExitStatus()}
}
