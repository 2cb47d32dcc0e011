package emulate

import (
	"cmp"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
)

func newEmulatorCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Run a local Azure on this machine",
		Long: `The emulator is a local Azure: it speaks Azure's protocol over TLS on 127.0.0.1, and its VMs are Linux namespaces that
answer real SSH. azlin, the official SDKs and the az client work with it.

The context 'emulator' starts it on first use. Its state is stored in azlin's directory and survives a restart.`,
		RunE: app.ShowGroup,
	}
	cmd.AddCommand(
		newEmulatorStartCommand(a), newEmulatorServeCommand(a), newEmulatorStopCommand(a), newEmulatorStatusCommand(a),
		newEmulatorResetCommand(a), newEmulatorSeedCommand(a), newEmulatorEnvCommand(a), newEmulatorFaultCommand(a), newEmulatorClockCommand(a),
	)
	return cmd
}

// serveFlags are what `emulator start` passes on to the background process and `emulator serve` takes.
type serveFlags struct {
	listen     string
	operatorIP string
	hosts      string
	sshPort    int
	realistic  bool
	throttle   string
	record     string
}

func (f *serveFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.listen, "listen", "", "loopback address to listen on (default: 127.0.0.1 and the port of the last run)")
	cmd.Flags().StringVar(&f.operatorIP, "operator-ip", "203.0.113.10", "public address that your connections come from, as security rules see it")
	cmd.Flags().StringVar(&f.hosts, "hosts", hostsNamespaces, "how VMs run: namespaces, process (no isolation) or none")
	cmd.Flags().IntVar(&f.sshPort, "ssh-port", 0, "SSH port of the VMs (0: 22 if permitted, otherwise 2222)")
	cmd.Flags().BoolVar(&f.realistic, "realistic", false, "make operations take as long as in Azure")
	cmd.Flags().StringVar(&f.throttle, "throttle", "", "rate limits: azure or off (default: Azure's, recovering 100 times as fast unless --realistic)")
	cmd.Flags().StringVar(&f.record, "record", "", "append each request and response to this file as JSON, with secrets masked")
	app.Complete(cmd, "throttle", []string{string(emulator.ThrottleAzure), string(emulator.ThrottleOff)})
	app.Complete(cmd, "hosts", []string{hostsNamespaces, hostsProcess, hostsNone})
}

// The values of --hosts.
const (
	hostsNamespaces = "namespaces"
	hostsProcess    = "process"
	hostsNone       = "none"
)

func (f *serveFlags) args() []string {
	return []string{
		"--listen", f.listen, "--operator-ip", f.operatorIP, "--hosts", f.hosts,
		"--ssh-port", strconv.Itoa(f.sshPort), "--realistic=" + strconv.FormatBool(f.realistic), "--throttle", f.throttle, "--record", f.record,
	}
}

// options checks the flags before a process is started in the background, where nobody reads errors.
func (f *serveFlags) options() (emulator.ServeOptions, error) {
	var err error
	if f.record != "" {
		// The background process runs in a directory of its own.
		if f.record, err = filepath.Abs(f.record); err != nil {
			return emulator.ServeOptions{}, errkind.New(errkind.Invalid, "--record: %w", err)
		}
	}
	o := emulator.ServeOptions{Listen: f.listen, SSHPort: f.sshPort, Realistic: f.realistic, Throttle: emulator.Throttle(f.throttle), Record: f.record}
	if o.OperatorIP, err = netip.ParseAddr(f.operatorIP); err != nil {
		return o, errkind.New(errkind.Invalid, "--operator-ip %q: specify an IP address", f.operatorIP)
	}
	if f.listen != "" {
		listen, err := netip.ParseAddrPort(f.listen)
		if err != nil {
			return o, errkind.New(errkind.Invalid, "--listen: %w", err)
		}
		if !listen.Addr().IsLoopback() {
			return o, errkind.New(errkind.Invalid, "--listen %s: the emulator listens on loopback addresses only", f.listen)
		}
	}
	if err := o.Throttle.Validate(); err != nil {
		return o, errkind.New(errkind.Invalid, "--%w", err)
	}
	if f.sshPort < 0 || f.sshPort > 65535 {
		return o, errkind.New(errkind.Invalid, "--ssh-port %d: a port is 0 to 65535", f.sshPort)
	}
	switch f.hosts {
	case hostsNamespaces:
		o.HostMode = host.Namespaces
	case hostsProcess:
		o.HostMode = host.Process
	case hostsNone:
		o.NoHosts = true
	default:
		return o, errkind.New(errkind.Invalid, "--hosts %q: use %s, %s or %s", f.hosts, hostsNamespaces, hostsProcess, hostsNone)
	}
	return o, nil
}

func newEmulatorStartCommand(a Commands) *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:     "start",
		Short:   "Start the emulator in the background",
		Example: "  azlin emulator start\n  azlin emulator start --realistic\n  azlin emulator start --throttle azure\n  azlin emulator start --record requests.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := flags.options(); err != nil {
				return err
			}
			status, err := a.StartEmulator(cmd.Context(), flags.args())
			if err != nil {
				return err
			}
			return a.Output.Print(emulatorView(status))
		},
	}
	flags.add(cmd)
	return cmd
}

func newEmulatorServeCommand(a Commands) *cobra.Command {
	var flags serveFlags
	var dir string
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Run the emulator in the foreground",
		Example: "  azlin emulator serve --listen 127.0.0.1:8443",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := flags.options()
			if err != nil {
				return err
			}
			if err := a.Paths.Ensure(); err != nil {
				return err
			}
			options.Dir, options.Log = cmp.Or(dir, a.Paths.Emulator), a.Streams.Err
			return emulator.Serve(cmd.Context(), options)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&dir, "dir", "", "state directory (default: 'emulator' in azlin's directory)")
	return cmd
}

func newEmulatorStopCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "stop",
		Short:   "Stop the emulator and keep its state",
		Example: "  azlin emulator stop",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := emulator.Stop(cmd.Context(), a.Paths.Emulator); err != nil {
				return app.EmulatorError(err)
			}
			a.Say("the emulator has stopped")
			return nil
		},
	}
}

func newEmulatorStatusCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show the emulator's address and resources",
		Example: "  azlin emulator status\n  azlin emulator status -o json --jq .resources",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := emulator.Read(cmd.Context(), a.Paths.Emulator)
			if err != nil {
				return app.EmulatorError(err)
			}
			return a.Output.Print(emulatorView(status))
		},
	}
}

func newEmulatorResetCommand(a Commands) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "reset",
		Short:   "Delete all resources in the emulator",
		Example: "  azlin emulator reset --yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.ConfirmLocal(cmd.Context(), "Delete every resource and VM of the emulator in "+a.Paths.Emulator+"?", yes); err != nil {
				return err
			}
			a.DoubtNames()
			if err := emulator.Reset(cmd.Context(), a.Paths.Emulator); err != nil {
				return app.EmulatorError(err)
			}
			a.Say("the emulator is empty")
			return nil
		},
	}
	app.AddYes(cmd, &yes)
	return cmd
}

func newEmulatorSeedCommand(a Commands) *cobra.Command {
	var vms int
	var group, region string
	cmd := &cobra.Command{
		Use:   "seed",
		Short: "Create many VMs in the emulator",
		Long: `Creates running VMs with their networks, disks and addresses instantly, to try azlin on a fleet. A seeded VM boots when it
is first reached over SSH.`,
		Example: "  azlin emulator seed --vms 500 --group big",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if vms < 1 || vms > 10000 {
				return errkind.New(errkind.Invalid, "--vms %d: 1 to 10000", vms)
			}
			if _, err := a.StartEmulator(cmd.Context(), nil); err != nil {
				return err
			}
			keys, err := keypair.GenerateKeyPair(a.Paths.SSHDir, "")
			if err != nil {
				return err
			}
			public, err := keypair.PublicKeyContent(keys.Public)
			if err != nil {
				return err
			}
			options := emulator.SeedOptions{Group: group, Location: region, VMs: vms, User: remote.DefaultUser, Keys: []string{public}}
			a.DoubtNames()
			if err := emulator.Seed(cmd.Context(), a.Paths.Emulator, options); err != nil {
				return app.EmulatorError(err)
			}
			a.Say(fmt.Sprintf("%d VMs are in group %s", vms, group))
			return nil
		},
	}
	cmd.Flags().IntVar(&vms, "vms", 10, "number of VMs")
	cmd.Flags().StringVar(&group, "group", "seeded", "resource group of the VMs")
	cmd.Flags().StringVar(&region, "region", "westus2", "region of the group")
	return cmd
}

func emulatorView(s emulator.Status) term.View {
	resources := 0
	for _, n := range s.Resources {
		resources += n
	}
	return term.View{
		Data: s,
		Grid: term.Rows([]emulator.Status{s}, []term.Column[emulator.Status]{
			{Name: "endpoint", Value: func(s emulator.Status) string { return s.Endpoint }},
			{Name: "subscription", Value: func(s emulator.Status) string { return s.SubscriptionID }},
			{Name: "resources", Value: func(emulator.Status) string { return strconv.Itoa(resources) }},
			{Name: "hosts", Value: func(s emulator.Status) string { return strconv.Itoa(len(s.Hosts)) }},
			{Name: "ssh_port", Value: func(s emulator.Status) string { return strconv.Itoa(s.SSHPort) }},
			{Name: "pid", Value: func(s emulator.Status) string { return strconv.Itoa(s.PID) }},
		}),
		Note: strings.Join(slices.DeleteFunc([]string{s.HostsNote, s.StateNote}, func(n string) bool { return n == "" }), "\n"),
	}
}
