package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/detach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/tunnel"
	"github.com/azlin-dev/azlin/vm"
)

type tunnelOpenFlags struct {
	app.HostFlags

	local      []string
	name       string
	foreground bool
}

func newTunnelOpenCommand(a Commands) *cobra.Command {
	var flags tunnelOpenFlags
	cmd := &cobra.Command{
		Use:   "open VM -L [PORT:][HOST:]HOSTPORT",
		Short: "Open a tunnel to a VM",
		Long: `Opens local ports that forward to ports a VM reaches, and keeps them open in the background until 'azlin tunnel close', a
restart of this machine, or the deletion of the VM. -L is as in ssh, on 127.0.0.1 only: 8080 forwards to the VM's port
8080, 8080:80 to its port 80, 8080:db:5432 to port 5432 of the host db in the VM's network. For port 0 the system chooses
a free port.

Ports in use are refused before anything is started. If the connection is lost, azlin reconnects, also to a new address,
and clients that connect meanwhile wait for up to half a minute. The tunnel ends if the VM refuses the key or its host key
has changed; 'azlin tunnel list' shows the reason.`,
		Example: `  azlin tunnel open dev -L 8080
  azlin tunnel open dev -L 0:80 -L 15432:db.internal:5432 --name web
  azlin tunnel open dev -L 8888 --foreground`,
		Args: app.Exactly(1, "one VM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			forwards, err := parseForwards(cmd, flags.local)
			if err != nil {
				return err
			}
			if flags.name != "" {
				if err := tunnel.ValidateName(flags.name); err != nil {
					return err
				}
			}
			if flags.foreground {
				return a.holdTunnel(cmd.Context(), args[0], forwards, flags)
			}
			return a.startTunnel(cmd, args[0])
		},
	}
	flags.Add(cmd)
	f := cmd.Flags()
	f.StringArrayVarP(&flags.local, "local-forward", "L", nil, "local port and its destination, as above (repeatable)")
	f.StringVar(&flags.name, "name", "", "name of the tunnel (default: the VM's name, with a number if it is taken)")
	f.BoolVar(&flags.foreground, "foreground", false, "stay in the foreground until Ctrl-C")
	return cmd
}

func parseForwards(cmd *cobra.Command, specs []string) ([]tunnel.Forward, error) {
	if len(specs) == 0 {
		return nil, app.Usage(cmd, "want -L: which port leads where")
	}
	var forwards []tunnel.Forward
	for _, spec := range specs {
		f, err := tunnel.ParseForward(spec)
		if err != nil {
			return nil, err
		}
		for _, other := range forwards {
			if f.LocalPort != 0 && other.LocalPort == f.LocalPort {
				return nil, app.Usage(cmd, "port %d leads to one place only", f.LocalPort)
			}
		}
		forwards = append(forwards, f)
	}
	return forwards, nil
}

// holdTunnel is the process of a tunnel.
func (a Commands) holdTunnel(ctx context.Context, name string, forwards []tunnel.Forward, flags tunnelOpenFlags) error {
	p := &tunnelProcess{Commands: a, name: name, flags: flags, states: make(chan tunnel.State, 1)}
	t, err := tunnel.Open(ctx, tunnel.Options{Forwards: forwards, Route: p.route, Report: p.report})
	if err != nil {
		return app.Stranded(p.whoHasIt(err), name)
	}
	defer func() { _ = t.Close() }() // it has nothing to tell that matters then
	claim, err := a.claimTunnel(flags.name, p.match.VM.Name)
	if err != nil {
		return err
	}
	record := tunnel.Record{
		Name: claim.Name, VM: p.match.VM.Name, ResourceGroup: p.match.VM.ResourceGroup, SubscriptionID: p.session.Azure.SubscriptionID(),
		Context: p.session.Context.Name, Forwards: t.Forwards(), PID: os.Getpid(), Opened: time.Now().UTC(), State: t.State(),
	}
	if err := claim.Save(record); err != nil {
		return errors.Join(err, claim.Remove())
	}
	if flags.foreground {
		if err := a.Output.Print(term.View{Data: viewOfTunnel(record), Grid: term.Rows([]tunnel.Record{record}, tunnelColumns())}); err != nil {
			return errors.Join(err, claim.Remove())
		}
	}
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			err := t.Close()
			return errors.Join(context.Cause(ctx), err, claim.Remove())
		case <-t.Done():
			record.State = t.State()
			return errors.Join(t.Err(), claim.Save(record), claim.Release())
		case record.State = <-p.states:
			if err := claim.Save(record); err != nil && claim.Exists() {
				a.Say("warning: " + err.Error())
			}
		case <-tick.C:
			if !claim.Exists() { // nobody could end this process any more
				return errkind.New(errkind.Cancelled, "the record of the tunnel was removed")
			}
		}
	}
}

// claimTunnel takes the name that was asked for, else the VM's with a number if need be.
func (a Commands) claimTunnel(asked, machine string) (*tunnel.Claim, error) {
	if asked != "" {
		return a.tunnels().Claim(asked)
	}
	for n := 1; ; n++ {
		name := machine
		if n > 1 {
			name = fmt.Sprintf("%s-%d", machine, n)
		}
		c, err := a.tunnels().Claim(name)
		if errkind.Of(err) != errkind.Conflict || n == 100 {
			return c, err
		}
	}
}

// tunnelProcess finds the VM of a tunnel, as often as needed, and hears how the tunnel is.
type tunnelProcess struct {
	Commands

	name   string
	flags  tunnelOpenFlags
	states chan tunnel.State

	session *app.Session // set by the first route, before which nobody else asks
	match   vm.Match
}

func (p *tunnelProcess) route(ctx context.Context) (remote.Host, error) {
	if p.session == nil {
		s, err := p.Open(ctx)
		if err != nil {
			return remote.Host{}, err
		}
		match, host, err := p.Host(ctx, s, p.name, p.flags.HostFlags)
		if p.session, p.match = s, match; host.Via != nil {
			if _, err := p.sweepBastions(ctx, s); err != nil {
				p.Say("warning: " + err.Error())
			}
		}
		return host, err
	}
	_, host, err := p.Host(ctx, p.session, p.name, p.flags.HostFlags)
	return host, err
}

// report keeps the newest state.
func (p *tunnelProcess) report(s tunnel.State) {
	for {
		select {
		case p.states <- s:
			return
		default:
		}
		select {
		case <-p.states: // an older one that nobody has looked at
		default:
		}
	}
}

// whoHasIt adds to a port that is in use which tunnel uses it.
func (p *tunnelProcess) whoHasIt(err error) error {
	if !errors.Is(err, tunnel.ErrTunnel) || errkind.Of(err) != errkind.Conflict {
		return err
	}
	l, _ := p.tunnels().List() // who cannot be read has it not
	for _, r := range l.Tunnels {
		for _, f := range r.Forwards {
			if r.Phase != tunnel.Failed && strings.Contains(err.Error(), fmt.Sprintf("%s:%d:", tunnel.Local, f.LocalPort)) {
				return &errkind.Error{Err: fmt.Errorf("%w: the tunnel %s has it", err, r.Name), Next: errkind.Step{Action: errkind.CloseTunnel, Name: r.Name}}
			}
		}
	}
	return fmt.Errorf("%w: specify another port, or 0 for a free one", err)
}

// startTunnel starts the process of a tunnel and waits until it is open.
func (a Commands) startTunnel(cmd *cobra.Command, name string) error {
	ctx := cmd.Context()
	if err := a.Paths.Ensure(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return &errkind.Error{Kind: errkind.Prerequisite, Op: "open a tunnel", Err: err}
	}
	said, err := os.CreateTemp(a.Paths.Dir, "tunnel-*.log") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = said.Close(); _ = os.Remove(said.Name()) }() // the process writes on, to nobody
	args := []string{self, "tunnel", "open", name, "--foreground", "--output=json"}
	if a.Flags.Context != "" {
		args = append(args, "--context="+a.Flags.Context)
	}
	if a.Flags.Group != "" {
		args = append(args, "--resource-group="+a.Flags.Group)
	}
	process, err := detach.Start(append(args, app.SetFlags(cmd)...), a.Environ, "", said)
	if err != nil {
		return &errkind.Error{Kind: errkind.Prerequisite, Op: "open a tunnel", Err: err}
	}
	for {
		select {
		case <-ctx.Done():
			process.Kill() // it has no record yet, or is not to have one
			return context.Cause(ctx)
		case <-process.Exited:
			return saidFailure(said)
		case <-time.After(5 * time.Millisecond):
		}
		l, _ := a.tunnels().List() // what cannot be read is not this one
		a.sayKilled(l.Killed)
		for _, r := range l.Tunnels {
			if r.PID == process.PID {
				return a.Output.Print(term.View{Data: viewOfTunnel(r), Grid: term.Rows([]tunnel.Record{r}, tunnelColumns())})
			}
		}
	}
}

// saidFailure is the error that another azlin told in JSON, the last of its lines.
func saidFailure(said *os.File) error {
	data := make([]byte, 64<<10)
	n, err := said.ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(data[:n])), "\n")
	var told struct {
		Error *app.Failure `json:"error"`
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &told); err != nil || told.Error == nil {
		return errkind.New(errkind.Unknown, "the process of the tunnel ended: %s", lines[len(lines)-1])
	}
	f := told.Error
	var class error
	if f.ExitCode == app.ExitSSH {
		class = remote.ErrConnection
	}
	return &errkind.Error{Kind: f.Kind, Class: class, Code: f.Code, CorrelationID: f.CorrelationID, LeftOver: f.LeftOver, Next: f.Step, Err: errors.New(f.Message)}
}
