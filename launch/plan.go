package launch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Plan checks everything that can be known before the first write: names, the size and where it is offered, the
// subscription's quota, the key, the operator's address or a private VM's way in and out, the repository, and existing
// resources. An existing finished VM is a Conflict; an unfinished one is resumed. A size or quota that Azure would refuse,
// or too high a price, is a Refusal with alternatives.
func (l *Launcher) Plan(ctx context.Context, r Request, display *progress.Display) (*Plan, error) {
	earlier, err := l.earlier(cmp.Or(r.ResourceGroup, l.Target.ResourceGroup), r.Name)
	if err != nil {
		return nil, err
	}
	plan, err := l.prepare(r, earlier)
	if err != nil {
		return nil, err
	}
	if err := l.checkMachine(ctx, plan.request, display); err != nil {
		return nil, err
	}
	begin(display, stageSignIn)
	if plan.op, plan.Resumes, err = l.operationFor(ctx, &plan.Config, earlier); err != nil {
		return nil, failed(display, err)
	}
	_ = display.CompleteStage() // it was started above
	if err := l.readKey(ctx, display, plan); err != nil {
		return nil, err
	}
	begin(display, stagePlan)
	if err := l.settle(ctx, plan, display); err != nil {
		return nil, failed(display, err)
	}
	if err := plan.keepRequest(); err != nil {
		return nil, failed(display, err)
	}
	_ = display.CompleteStage() // it was started above
	return plan, nil
}

// prepare completes a request and checks what needs no look-up.
func (l *Launcher) prepare(r Request, earlier *change.Operation) (*Plan, error) {
	r, err := goingOn(r, earlier)
	if err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	config := r.Config
	config.ResourceGroup = cmp.Or(r.ResourceGroup, l.Target.ResourceGroup)
	config.Size = cmp.Or(config.Size, l.Defaults.Size)
	config.Region = azure.RegionName(cmp.Or(config.Region, l.Target.Region))
	config.Owner = cmp.Or(config.Owner, l.Owner)
	config.SSHKeyPath = cmp.Or(r.KeyPath, l.Defaults.KeyPath)
	config.NATGateway = false                   // until one is known to be needed
	config.SSHPublicKeys = []string{standInKey} // until the default key exists
	if config.SSHKeyPath != l.Defaults.KeyPath {
		_, public, err := keypair.At(config.SSHKeyPath)
		if err != nil {
			return nil, err
		}
		config.SSHPublicKeys = []string{public}
	}
	config.SSHSources = []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 32)} // a placeholder until the address is known
	if source := cmp.Or(r.SSHSource, l.Defaults.SSHSource); source != "" {
		parsed, err := network.ParseSource(source)
		if err != nil {
			return nil, err
		}
		config.SSHSources = []netip.Prefix{parsed}
	}
	if config.Spot && !r.MaxPrice.Amount.IsZero() {
		config.SpotMaxPrice, _ = r.MaxPrice.Amount.Float64() // Azure's type for it is a float
	}
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if err := r.Check(config.AdminUsername); err != nil {
		return nil, err
	}
	return &Plan{Config: config, Setup: r.Setup, Repository: r.Repository, request: r, count: 1}, nil
}

// check finds contradictions in a request.
func (r Request) check() error {
	bad := func(format string, args ...any) error { return errkind.New(errkind.Invalid, format, args...) }
	switch {
	case r.Private && r.Public:
		return bad("private and public at once")
	case r.Private && r.SSHSource != "":
		return bad("an SSH source (%s) is for a VM with a public address; a private one is reached through a Bastion", r.SSHSource)
	case r.NATGateway && (r.Public || r.SSHSource != ""):
		return bad("a NAT gateway is the way out of a private VM; one with a public address needs none")
	case r.NATGateway && (r.VNet != "" || r.Subnet != ""):
		return bad("a NAT gateway is made in azlin's own network only: give the subnet one, or leave it out")
	case len(r.SSHPublicKeys) > 0 || r.SSHKeyPath != "":
		return bad("the keys of a launch follow from KeyPath; SSHPublicKeys and SSHKeyPath must be empty")
	case len(r.SSHSources) > 0:
		return bad("the addresses that a launch admits follow from SSHSource; SSHSources must be empty")
	case r.SubnetID != "":
		return bad("the subnet of a launch follows from VNet and Subnet; SubnetID must be empty")
	case r.OperationID != "" || r.HostKey != "":
		return bad("a launch makes its own OperationID and HostKey; both must be empty")
	case r.SpotMaxPrice != 0 && !r.MaxPrice.Amount.IsZero():
		return bad("both MaxPrice and SpotMaxPrice are set")
	case r.MaxPrice.Amount.IsNegative():
		return bad("a highest price of %s", r.MaxPrice)
	}
	return nil
}

// settle gathers until the plan can be carried out. With Fallback it tries the alternatives for what Azure would refuse.
func (l *Launcher) settle(ctx context.Context, plan *Plan, display *progress.Display) error {
	first := l.look(ctx, plan)
	last := first
	for plan.request.Fallback && l.fallBack(plan, last) {
		_ = display.Update(plan.Fallbacks[len(plan.Fallbacks)-1]) // the stage is open
		err := l.look(ctx, plan)
		if err == nil {
			return nil
		}
		if _, refused := asRefusal(err); refused {
			last = err
		} else if errkind.Of(err) != errkind.Prerequisite {
			return err
		} // the alternative lacks a way in or out: try the next one of the same refusal
	}
	if errors.Is(last, first) {
		return first
	}
	reason, _, _ := strings.Cut(last.Error(), "\n")
	return &errkind.Error{Kind: errkind.Of(first), Op: "fall back", Resource: plan.request.Name, Err: fmt.Errorf("%w\nnor in its place: %s", first, reason)}
}

// keepRequest stores the request and the decisions in the operation, so that resuming makes the same choices.
func (p *Plan) keepRequest() error {
	r := p.request
	r.Name, r.ResourceGroup, r.Size, r.Region, r.Zone = p.Config.Name, p.Config.ResourceGroup, p.Config.Size, p.Config.Region, p.Config.Zone
	r.Pool, r.KeyPath = p.Config.Pool, p.Config.SSHKeyPath
	r.Private, r.Public = p.Config.Private, !p.Config.Private
	var err error
	if p.op.Request, err = json.Marshal(r); err != nil {
		return fmt.Errorf("keep what was asked for: %w", err)
	}
	return nil
}

// networkOf is the id of the network that a request names; empty: the shared one.
func (l *Launcher) networkOf(r Request, config provision.Config) string {
	switch {
	case r.VNet == "" || r.VNet[0] == '/':
		return r.VNet
	default:
		return l.Network.VNetID(config.ResourceGroup, r.VNet)
	}
}
