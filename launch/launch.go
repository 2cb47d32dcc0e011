package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cloudinit"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/notify"
	"github.com/azlin-dev/azlin/progress"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Launcher creates VMs that are ready to be worked on. Make one with azlin.Open.
type Launcher struct {
	VMs    *vm.Service
	Reach  reach.Finder
	Target azure.Target // defaults for group and region
	Owner  string       // who launches, for the azlin-owner tag and the name of the SSH rule
	HTTP   *http.Client // for the echo services; nil: http.DefaultClient

	Prices *cost.Prices // nil: the plan has no price

	Notifier      *notify.Notifier // told when a launch ends; nil: nobody
	EchoServices  []string         // empty: DefaultEchoServices
	OperationsDir string           // where unfinished launches are kept; empty: they cannot be resumed
}

// Request says what to launch. Config.Name, Config.Size and KeyPath must be set; what else is empty gets
// a default.
type Request struct {
	vm.Config

	KeyPath    string        // either half of the SSH key to sign in with
	SSHSource  string        // address, CIDR or "any"; empty: the operator's own address
	Repository *Repository   // nil: none
	SSHTimeout time.Duration // how long to wait for SSH; zero: five minutes
}

// Plan is a launch that has been checked as far as it can be without writing.
type Plan struct {
	Config     vm.Config
	Repository *Repository
	Resumes    bool // an earlier launch of this VM was cut off, and this one goes on with it

	Price *cost.Estimate // at list prices, without traffic; nil without Launcher.Prices
	Quota []Quota        // what the VM counts against; nil when it could not be read
	Notes []string       // what could not be checked, and why

	keyPath    string
	sshTimeout time.Duration
	op         *operation
	wanted     wanted
}

// Result is a launched VM.
type Result struct {
	VM         vm.Info
	Details    vm.Details
	Host       remote.Host
	Repository *Repository
	Warnings   []string // what worked but should be known
}

// Stages are the steps of a launch: those of Plan first, then those of Run.
func Stages() []progress.Stage {
	return []progress.Stage{
		{Name: "sign-in", Description: "signing in to Azure", EstimatedDuration: 2 * time.Second},
		{Name: "plan", Description: "checking size, image, access and names", EstimatedDuration: 5 * time.Second},
		{Name: "vm", Description: "creating the network and the VM", EstimatedDuration: 75 * time.Second},
		{Name: "ssh", Description: "waiting for SSH", EstimatedDuration: 25 * time.Second},
		{Name: "clone", Description: "cloning the repository", EstimatedDuration: 10 * time.Second},
		{Name: "notify", Description: "saying that it is ready", EstimatedDuration: time.Second},
	}
}

// Plan checks everything that can be known before the first write: names, the size and where it is
// offered, the subscription's quota, the key, the operator's address, the repository, and what exists
// already. A finished VM of that name is a Conflict; an unfinished one is resumed. What Azure would refuse
// for its size or quota is a Refusal, with alternatives.
func (l *Launcher) Plan(ctx context.Context, r Request, display *progress.Display) (*Plan, error) {
	config := r.Config
	config.ResourceGroup = cmp.Or(config.ResourceGroup, l.Target.ResourceGroup)
	config.Region = cmp.Or(config.Region, l.Target.Region)
	config.Owner = cmp.Or(config.Owner, l.Owner)
	_, public, err := remote.KeyPairAt(r.KeyPath)
	if err != nil {
		return nil, err
	}
	config.SSHPublicKeys, config.SSHKeyPath = []string{public}, r.KeyPath
	var source netip.Prefix
	if r.SSHSource != "" {
		if source, err = ParseSource(r.SSHSource); err != nil {
			return nil, err
		}
		config.SSHSources = []netip.Prefix{source}
	} else {
		config.SSHSources = []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 32)} // stands in until it is known
	}
	if err := config.Validate(); err != nil { // before anything is sent
		return nil, err
	}
	if r.Repository != nil {
		if err := r.Repository.check(ctx); err != nil {
			return nil, err
		}
	}
	stages := Stages()
	plan := &Plan{Repository: r.Repository, keyPath: r.KeyPath, sshTimeout: cmp.Or(r.SSHTimeout, 5*time.Minute)}

	display.StartStage(stages[0])
	if plan.op, plan.Resumes, err = l.operationFor(ctx, &config); err != nil {
		return nil, failed(display, err)
	}
	_ = display.CompleteStage() // it was started above
	display.StartStage(stages[1])
	if err := l.look(ctx, plan, &config, r.SSHSource == ""); err != nil {
		return nil, failed(display, err)
	}
	_ = display.CompleteStage() // it was started above
	plan.Config = config
	return plan, nil
}

// failed ends the current stage, with the first line of the error, and gives the error back.
func failed(display *progress.Display, err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	_ = display.FailStage(line) // the stage is open
	return err
}

// operationFor finds out what became of an earlier launch of the VM, in Azure and on this machine. Its
// first request is the one that signs in.
func (l *Launcher) operationFor(ctx context.Context, config *vm.Config) (op *operation, resumes bool, err error) {
	subscription := l.Target.SubscriptionID
	if op, err = findOperation(l.OperationsDir, l.launchOf(config.ResourceGroup, config.Name)); err != nil {
		return nil, false, err
	}
	resumes = op != nil
	fresh := func() (err error) {
		op, err = newOperation(l.OperationsDir, subscription, config.ResourceGroup, config.Name, time.Now())
		return err
	}
	if op == nil {
		if err := fresh(); err != nil {
			return nil, false, err
		}
	}
	config.OperationID, config.HostKey = op.ID, op.HostKey.Public
	exists, err := l.VMs.Resumes(ctx, *config)
	if err != nil {
		return nil, false, err
	}
	if !exists && op.HostKey.Private == "" {
		// The VM had proven itself and was then deleted: a new one needs a new identity.
		err = errors.Join(op.finish(), fresh())
		config.OperationID, config.HostKey = op.ID, op.HostKey.Public
	}
	return op, resumes || exists, err
}

// Run carries out a plan. When it fails or is cut off, planning the same VM again goes on where it
// stopped. Whoever waits elsewhere is notified of how it ended.
func (l *Launcher) Run(ctx context.Context, plan *Plan, display *progress.Display) (*Result, error) {
	result, err := l.run(ctx, plan, display)
	if err != nil {
		if l.Notifier != nil && errkind.Of(err) != errkind.Cancelled {
			l.Notifier.NotifyError(ctx, "VM "+plan.Config.Name+": "+err.Error()) // best effort
		}
		return nil, err
	}
	display.StartStage(Stages()[5])
	switch {
	case l.Notifier == nil || !l.Notifier.IsAvailable():
		_ = display.SkipStage("no way to notify is set up here") // it was started above
	case l.Notifier.NotifyCompletion(ctx, result.VM.Name, result.VM.PublicIP):
		_ = display.CompleteStage() // as above
	default:
		_ = display.SkipStage("the notification did not go out") // as above
	}
	return result, nil
}

func (l *Launcher) run(ctx context.Context, plan *Plan, display *progress.Display) (*Result, error) {
	stages := Stages()
	config := plan.Config
	display.StartStage(stages[2])
	if err := plan.op.save(); err != nil {
		return nil, failed(display, err)
	}
	var err error
	if plan.op.HostKey.Private != "" {
		config.CustomData, err = cloudinit.Render(cloudinit.Config{
			HostKeyPrivate: plan.op.HostKey.Private, HostKeyPublic: plan.op.HostKey.Public,
			Packages: cloudinit.DefaultPackages(),
		})
		if err != nil {
			return nil, failed(display, err)
		}
	}
	result := &Result{Repository: plan.Repository}
	result.Details, err = l.VMs.Provision(ctx, config, func(step string) { _ = display.Update(step) }) // the stage is open
	if err != nil {
		return nil, failed(display, resumable(config, l.refused(ctx, plan, err)))
	}
	_ = display.CompleteStage() // it was started above

	display.StartStage(stages[3])
	client, err := l.awaitSSH(ctx, plan, result, display)
	if err != nil {
		return nil, failed(display, resumable(config, err))
	}
	defer client.Close()
	if err := plan.op.forgetHostKey(); err != nil {
		return nil, failed(display, err)
	}
	result.Warnings = append(result.Details.Notes, checkAccess(ctx, client, config)...)
	_ = display.CompleteStage() // it was started above

	display.StartStage(stages[4])
	if plan.Repository == nil {
		_ = display.SkipStage("no repository was asked for") // it was started above
	} else if err := plan.Repository.clone(ctx, client); err != nil {
		return nil, failed(display, resumable(config, err))
	} else {
		_ = display.CompleteStage() // it was started above
	}
	if err := l.VMs.Finish(ctx, result.Details.ID, result.Details.OperationID); err != nil {
		return nil, resumable(config, err)
	}
	if result.VM, err = l.VMs.Get(ctx, config.ResourceGroup, config.Name); err != nil {
		return nil, err
	}
	return result, plan.op.finish()
}

// awaitSSH waits until the VM accepts a login and shows the host key it was given.
func (l *Launcher) awaitSSH(ctx context.Context, plan *Plan, result *Result, display *progress.Display) (*remote.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, plan.sshTimeout)
	defer cancel()
	var err error
	if result.VM, err = l.VMs.Get(ctx, plan.Config.ResourceGroup, plan.Config.Name); err != nil {
		return nil, err
	}
	if result.Host, err = l.Reach.Host(ctx, result.VM, reach.Options{User: plan.Config.AdminUsername, KeyPath: plan.keyPath}); err != nil {
		return nil, err
	}
	return remote.WaitForSSH(ctx, result.Host, 0, func(attempt int, last error) {
		_ = display.Update(fmt.Sprintf("attempt %d: %s", attempt, waitingFor(last))) // the stage is open
	})
}

func waitingFor(err error) string {
	if errors.Is(err, remote.ErrKeyRefused) {
		return "the login user is not there yet"
	}
	return "the VM does not answer yet"
}

// checkAccess compares the address that SSH sees with the one that was admitted. They differ behind
// some proxies and NATs; the connection works then only as long as both stay.
func checkAccess(ctx context.Context, client *remote.Client, config vm.Config) []string {
	out, err := client.Output(ctx, `printf %s "${SSH_CLIENT%% *}"`)
	if err != nil || !out.Success {
		return nil // a shell without SSH_CLIENT tells nothing
	}
	seen, err := netip.ParseAddr(out.Stdout)
	if err != nil {
		return nil
	}
	for _, p := range config.SSHSources {
		if p.Contains(seen.Unmap()) {
			return nil
		}
	}
	return []string{fmt.Sprintf("the VM sees you come from %s, but SSH is admitted from %s", seen, config.SSHSources[0])}
}

// resumable says how to go on, unless the failure says so itself.
func resumable(config vm.Config, err error) error {
	for e := range errkind.All(err) {
		if e.Next != "" {
			return err
		}
	}
	return &errkind.Error{
		Op: "launch", Resource: config.Name, Err: err,
		Next: fmt.Sprintf("azlin new --name %s -g %s goes on where it stopped; azlin kill %s -g %s removes what there is",
			config.Name, config.ResourceGroup, config.Name, config.ResourceGroup),
	}
}
