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

// Launcher creates VMs that are ready for work. Use azlin.Open to create one.
type Launcher struct {
	VMs     *vm.Service
	Catalog *catalog.Service
	Reach   reach.Finder
	// Bastions finds a Bastion that reaches a network; nil: none.
	Bastions    *bastion.Service
	Provisioner *provision.Service
	Network     *network.Service
	Operator    network.Operator // who launches, and from which address
	Target      azure.Target     // defaults for group and region
	Owner       string           // who launches, for the azlin-owner tag

	Prices *cost.Prices // nil: the plan has no price

	Notifier   *notify.Notifier  // notified when a launch ends; nil: nobody
	Operations change.Store      // unfinished launches; without a directory, a launch resumes with only what Azure knows
	Access     repository.Access // the credentials that a clone may use
	Defaults   Defaults
}

// Defaults apply where neither a request nor an earlier launch of the same VM sets a value. A missing key at KeyPath is
// generated.
type Defaults struct {
	Size, KeyPath, SSHSource string
}

// Request describes a launch. Config.Name is required, and so are Config.Size and KeyPath unless they have defaults. Other
// empty fields get defaults. The request is kept on disk until the launch ends.
type Request struct {
	provision.Config
	Setup

	KeyPath    string                 // either half of the SSH key to sign in with
	SSHSource  string                 // address, CIDR or "any"; empty: the operator's own address
	Repository *repository.Repository // nil: none

	// Private (in Config) requests no public address, Public requests one. Without either, the VM is private if a Bastion
	// reaches it and SSHSource is empty. Config.NATGateway allows azlin to create, and pay for, a NAT gateway.
	Public bool
	VNet   string // name (in the VM's group) or id of an existing network; empty: the region's shared one
	Subnet string // name (in VNet) or id of an existing subnet; empty: VNet's only one

	Fallback bool       // when Azure has no room: another zone, then another size, then another region
	MaxPrice cost.Money // maximum total price per hour; zero: no limit

	WaitTools bool // also wait until the tools are installed

	SSHTimeout time.Duration `json:"-"` // how long to wait for SSH; zero: five minutes. Not stored

	Needs []prereq.Need `json:"-"` // what the caller will also do; its programs are looked up. Not stored
}

// Plan is a launch that was checked as far as possible without writing.
type Plan struct {
	Config     provision.Config
	Setup      Setup
	Repository *repository.Repository
	Resumes    bool // an earlier launch of this VM was interrupted and is resumed

	Price   *cost.Estimate   // list price without traffic; nil without Launcher.Prices
	Quota   []catalog.Demand // the quotas the VM needs; nil when quota could not be read
	Image   string           // as provision.Config.Image
	Bastion *bastion.Bastion // the Bastion that will reach the VM; nil: reached directly
	Egress  string           // for a private VM: name of its NAT gateway, or another way out
	Notes   []string         // what could not be checked, and why

	// Fallbacks describe each replacement and its reason; the last one is in effect.
	Fallbacks []string

	request Request        // complete, including what was decided
	key     *keypair.Draft // the default key, until it is known to be on disk; nil: not the default key
	count   int            // how many VMs of this kind are created
	op      *change.Operation
	wanted  catalog.Wanted
	tried   map[place3]bool
}

// NewKey reports whether Run makes the SSH key at Config.SSHKeyPath, which does not exist yet.
func (p *Plan) NewKey() bool { return p.key != nil && p.key.New }

// Result is the result of a launch.
type Result struct {
	VM         vm.Info
	Details    provision.Details
	Host       remote.Host
	Repository *repository.Repository
	Tools      *logs.Installation    // nil: not awaited. See ToolsErr
	CloudInit  *logs.CloudInitStatus // nil: not awaited
	Warnings   []string              // problems that did not make the launch fail
}
