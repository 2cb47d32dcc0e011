package launch

import (
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/health/logs"
	"github.com/azlin-dev/azlin/local/notify"
	"github.com/azlin-dev/azlin/local/prereq"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/repository"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Launcher creates VMs that are ready to be worked on. Make one with azlin.Open.
type Launcher struct {
	VMs     *vm.Service
	Catalog *catalog.Service
	Reach   reach.Finder
	// Bastions are asked whether one reaches a network; nil: none does.
	Bastions    *bastion.Service
	Provisioner *provision.Service
	Network     *network.Service
	Operator    network.Operator // who launches, and from where
	Target      azure.Target     // defaults for group and region
	Owner       string           // who launches, for the azlin-owner tag

	Prices *cost.Prices // nil: the plan has no price

	Notifier   *notify.Notifier  // told when a launch ends; nil: nobody
	Operations change.Store      // unfinished launches; without a directory they go on only as far as Azure tells
	Access     repository.Access // what may be lent to a clone
	Defaults   Defaults
}

// Defaults are for what a request and an earlier launch of the same VM leave open. The key at KeyPath is made when it
// is not there.
type Defaults struct {
	Size, KeyPath, SSHSource string
}

// Request says what to launch. Config.Name must be set, and Config.Size and KeyPath unless there are defaults
// for them; what else is empty gets a default. It is kept on disk until the launch has ended.
type Request struct {
	provision.Config
	Setup

	KeyPath    string                 // either half of the SSH key to sign in with
	SSHSource  string                 // address, CIDR or "any"; empty: the operator's own address
	Repository *repository.Repository // nil: none

	// Private (of Config) wants no public address, Public wants one. Without either, a VM that a Bastion reaches is
	// private, unless SSHSource is given. Config.NATGateway allows to make, and to pay for, a NAT gateway for it.
	Public bool
	VNet   string // name, in the VM's group, or id of an existing network; empty: the shared one of the region
	Subnet string // name, in VNet, or id of an existing subnet; empty: VNet's only one

	Fallback bool       // when Azure has no room: another zone, then another size, then another region
	MaxPrice cost.Money // per hour, all parts together, that is not to be exceeded; zero: no limit

	WaitTools bool // be done only when the tools are installed, too

	SSHTimeout time.Duration `json:"-"` // how long to wait for SSH; zero: five minutes. Not kept

	Needs []prereq.Need `json:"-"` // what the caller will do besides; programs that it takes are looked for. Not kept
}

// Plan is a launch that has been checked as far as it can be without writing.
type Plan struct {
	Config     provision.Config
	Setup      Setup
	Repository *repository.Repository
	Resumes    bool // an earlier launch of this VM was cut off, and this one goes on with it

	Price   *cost.Estimate   // at list prices, without traffic; nil without Launcher.Prices
	Quota   []catalog.Demand // what the VM counts against; nil when it could not be read
	Image   string           // as provision.Config.Image
	Bastion *bastion.Bastion // through which the VM will be reached; nil: directly
	Egress  string           // of a private VM: name of its NAT gateway, or what else is its way out
	Notes   []string         // what could not be checked, and why

	// Fallbacks say what was chosen in place of what, and why; the last one holds.
	Fallbacks []string

	request Request        // complete, with what was decided
	key     *keypair.Draft // the default key, until it is known to be on disk; nil: another key
	count   int            // how many of it are to be made
	op      *change.Operation
	wanted  catalog.Wanted
	tried   map[place3]bool
}

// NewKey reports whether Run makes the SSH key at Config.SSHKeyPath, which does not exist yet.
func (p *Plan) NewKey() bool { return p.key != nil && p.key.New }

// Result is a launched VM.
type Result struct {
	VM         vm.Info
	Details    provision.Details
	Host       remote.Host
	Repository *repository.Repository
	Tools      *logs.Installation    // nil: nobody waited for them. See ToolsErr
	CloudInit  *logs.CloudInitStatus // nil: nobody waited for it
	Warnings   []string              // what worked but should be known
}
