package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/vm/provision"
)

// access is how a VM is reached, and how it reaches the internet.
type access struct {
	private bool
	subnet  string           // id of an existing one; empty: the shared one
	bastion *bastion.Bastion // for a private VM
	egress  string
	nat     bool // a NAT gateway must be created
}

// findAccess decides how the VM is reached: as requested, else through a Bastion that reaches it, else at a public address.
// A private VM without a way in or out is an error of kind Prerequisite.
func (l *Launcher) findAccess(ctx context.Context, r Request, config provision.Config) (access, error) {
	subnet, err := l.existingSubnet(ctx, r, config)
	if err != nil {
		return access{}, err
	}
	a := access{subnet: subnet.ID}
	if r.Public || r.SSHSource != "" {
		return a, nil
	}
	network := subnet.ID
	if network == "" {
		network = l.Network.SharedSubnetID(config.ResourceGroup, config.Region, true)
	}
	if l.Bastions != nil {
		if a.bastion, err = l.Bastions.Reaching(ctx, network); err != nil && (r.Private || errkind.Of(err) != errkind.Permission) {
			return access{}, err
		}
	}
	switch {
	case a.bastion == nil && !r.Private && r.NATGateway:
		return access{}, errkind.New(errkind.Prerequisite,
			"a NAT gateway is the way out of a private VM, and this one would have a public address, because no Bastion reaches its network")
	case a.bastion == nil && !r.Private:
		return a, nil
	case a.bastion == nil:
		return access{}, &errkind.Error{
			Kind: errkind.Prerequisite, Op: "launch", Resource: config.Name,
			Err:  fmt.Errorf("no Bastion reaches the network of a private VM in %s, so nothing could sign in to it", config.Region),
			Next: errkind.Step{Action: errkind.CreateBastion, Group: config.ResourceGroup},
		}
	}
	a.private = true
	return a, l.findEgress(ctx, r, config, subnet, &a)
}

// existingSubnet reads the subnet that the request names; without one it returns the zero Subnet.
func (l *Launcher) existingSubnet(ctx context.Context, r Request, config provision.Config) (network.Subnet, error) {
	var subnet network.Subnet
	var err error
	vnet := l.networkOf(r, config)
	switch {
	case strings.HasPrefix(r.Subnet, "/"):
		subnet, err = l.Network.Subnet(ctx, r.Subnet)
	case r.Subnet != "" && vnet == "":
		return subnet, errkind.New(errkind.Invalid, "subnet %q: say in which network, or give its id", r.Subnet)
	case r.Subnet != "":
		subnet, err = l.Network.Subnet(ctx, vnet+"/subnets/"+r.Subnet)
	case vnet != "":
		subnet, err = l.onlySubnet(ctx, vnet)
	default:
		return subnet, nil
	}
	if err != nil {
		return subnet, err
	}
	if !strings.EqualFold(subnet.Region, config.Region) {
		return subnet, errkind.New(errkind.Invalid, "the network is in %s, the VM would be in %s: both have to be in one region", subnet.Region, config.Region)
	}
	return subnet, nil
}

// onlySubnet returns the subnet of a network that has only one for VMs.
func (l *Launcher) onlySubnet(ctx context.Context, vnet string) (network.Subnet, error) {
	all, err := l.Network.Subnets(ctx, vnet)
	if err != nil {
		return network.Subnet{}, err
	}
	var names []string
	all = slices.DeleteFunc(all, func(s network.Subnet) bool {
		id, err := azure.ParseID(s.ID)
		// Reserved for Azure's own services.
		reserved := err != nil || slices.Contains([]string{"gatewaysubnet", "azurebastionsubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "routeserversubnet"}, strings.ToLower(id.Name()))
		if !reserved {
			names = append(names, id.Name())
		}
		return reserved
	})
	if len(all) != 1 {
		return network.Subnet{}, errkind.New(errkind.Invalid, "the network has %d subnets for VMs (%s): say which one", len(all), strings.Join(names, ", "))
	}
	return all[0], nil
}

// findEgress finds how a private VM reaches the internet; without that it could not install or clone anything.
func (l *Launcher) findEgress(ctx context.Context, r Request, config provision.Config, subnet network.Subnet, a *access) error {
	existing := subnet.ID != ""
	if !existing {
		var err error
		subnet, err = l.Network.Subnet(ctx, l.Network.SharedSubnetID(config.ResourceGroup, config.Region, true))
		if err != nil && errkind.Of(err) != errkind.NotFound {
			return err
		}
	}
	switch {
	case subnet.NATGateway != "":
		a.egress = "NAT gateway " + subnet.NATGateway[strings.LastIndexByte(subnet.NATGateway, '/')+1:]
		return nil
	case subnet.RouteTable != "":
		a.egress = "route table " + subnet.RouteTable[strings.LastIndexByte(subnet.RouteTable, '/')+1:] + ", as far as that leads out"
		return nil
	case subnet.DefaultOutbound:
		a.egress = "Azure's default outbound access"
		return nil
	case r.NATGateway && !existing:
		a.nat, a.egress = true, "NAT gateway "+network.NATName(config.Region)+" (new)"
		return nil
	}
	e := &errkind.Error{Kind: errkind.Prerequisite, Op: "launch", Resource: config.Name}
	if existing {
		e.Err = errors.New("the subnet has no way out (NAT gateway, route table), so a private VM in it could neither install nor clone anything: give the subnet a NAT gateway, or the VM a public address")
		return e
	}
	price := "a NAT gateway"
	if l.Prices != nil {
		if p := l.Prices.NATGateway(ctx, config.Region); p.Money != nil {
			price += fmt.Sprintf(" for %s per month and traffic", p.Money.PerMonth().Cents())
		}
	}
	how := "a private VM"
	if !r.Private {
		how = fmt.Sprintf("Bastion %s reaches the network, so that the VM would be private; it", a.bastion.Name)
	}
	e.Err = fmt.Errorf("%s would have no way out, and could neither install nor clone anything: add %s, which all private VMs of the region share, or a public address", how, price)
	return e
}
