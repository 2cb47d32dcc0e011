package create

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
)

// placeFlags say where a VM goes, how it is reached, and what may stand in for what was asked for.
type placeFlags struct {
	private, public, nat bool
	vnet, subnet         string
	fallback             bool
	maxPrice             string
}

func (f *placeFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.private, "private", false, "no public address; reach the VM through a Bastion")
	flags.BoolVar(&f.public, "public", false, "public address, even if a Bastion reaches the network")
	flags.BoolVar(&f.nat, "nat-gateway", false, "create a NAT gateway if a private VM cannot reach the internet otherwise; billed as long as a VM needs it")
	flags.StringVar(&f.vnet, "vnet", "", "existing virtual network, by name in the resource group or by id (default: azlin's network of the region)")
	flags.StringVar(&f.subnet, "subnet", "", "existing subnet, by name in --vnet or by id (default: the only subnet of --vnet)")
	flags.BoolVar(&f.fallback, "fallback", false, "if Azure has no capacity, try another zone, then another size, then another region")
	flags.StringVar(&f.maxPrice, "max-price", "", "maximum total price in US dollars per hour; also limits --fallback")
}

func (f placeFlags) into(r *launch.Request) error {
	r.Private, r.Public, r.NATGateway = f.private, f.public, f.nat
	r.VNet, r.Subnet, r.Fallback = f.vnet, f.subnet, f.fallback
	if f.maxPrice == "" {
		return nil
	}
	price, err := cost.USD(f.maxPrice)
	if err != nil || !price.Amount.IsPositive() {
		return errkind.New(errkind.Invalid, "--max-price %q: give US dollars per hour, like 0.25", f.maxPrice)
	}
	r.MaxPrice = price
	return nil
}

// accessLines tell how the VM of a plan is reached, and how it gets out.
func accessLines(p *launch.Plan, sources string) []app.PlanLine {
	if !p.Config.Private {
		if strings.Contains(sources, "/0") {
			sources += " (everyone on the internet)"
		}
		return []app.PlanLine{app.Line("SSH admitted from", sources)}
	}
	return []app.PlanLine{app.Line("access", "private, through Bastion "+p.Bastion.Name), app.Line("way out", p.Egress)}
}
