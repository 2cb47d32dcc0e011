package azlin

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/health/detail"
	"github.com/azlin-dev/azlin/health/logs"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/health/why"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/launch/clone"
	"github.com/azlin-dev/azlin/launch/image"
	"github.com/azlin-dev/azlin/launch/template"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/local/history"
	"github.com/azlin-dev/azlin/local/notify"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/remote/repository"
	"github.com/azlin-dev/azlin/upkeep/cleanup"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/upkeep/prune"
	"github.com/azlin-dev/azlin/upkeep/resize"
	"github.com/azlin-dev/azlin/upkeep/update"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/disk"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Options specify the subscription and this program's environment. Target.SubscriptionID and Credential are required.
type Options struct {
	Target     azure.Target
	Credential azcore.TokenCredential
	HTTP       *http.Client // nil: one that trusts the system's and the cloud's certificates

	StateDir  string // known hosts, operations, cache and audit log; empty: nothing is stored
	SSHPort   int    // 0: 22
	SSHLimits remote.Limits
	// ProxyCommand is reach.Finder's; nil: interactive sessions reach public addresses only.
	ProxyCommand func(vmID, bastionID string) []string
	AgentSocket  string   // SSH_AUTH_SOCK; empty: no agent
	PriceService string   // address of the retail price service; empty: cost.DefaultEndpoint
	EchoServices []string // services that return the operator's address; empty: network.DefaultEchoServices
	ReadOnly     bool     // refuse every write before it is sent

	// SessionNames are this machine's session names, by VM name, for VMs without a session tag.
	SessionNames map[string]string

	Notifier *notify.Notifier  // notified when a launch ends; nil: nobody
	Access   repository.Access // credentials that the clone of a launch may use
	Launch   launch.Defaults   // defaults for a launch

	Listed func(all []vm.Info) // called with each listing of all VMs; nil: not called

	Working func() (done func()) // called when a call to Azure begins; done is called when it has ended; nil: not called

	Context string // for the audit log
	User    string // for the audit log and the owner tag
	Log     *slog.Logger
	Retry   policy.RetryOptions // zero: azure.Options' own

	Patience time.Duration // how long to wait for an operation in Azure; zero: azure.DefaultPatience
}

// Client holds the services of one subscription. It is safe for concurrent use.
type Client struct {
	Azure    *azure.Client    // used by all of them
	Operator network.Operator // who works here, and from which address

	VMs        *vm.Service
	Hosts      reach.Finder // from a VM to a host with a verified key: run a command, connect
	Disks      *disk.Service
	Networks   *network.Service
	Bastions   *bastion.Service
	Catalog    *catalog.Service // sizes, regions, images and quota
	Prices     *cost.Prices
	Templates  template.Store  // templates for VMs; stored only with Options.StateDir
	Operations *change.Service // unfinished operations
	History    history.Log     // interactive connections made from this machine
	Statuses   status.Dashboard
	Details    detail.Reader // what a VM is made of, and who can sign in
	Logs       logs.Reader

	Provisioner *provision.Service // creates a VM, without the further steps of a launch
	Launcher    *launch.Launcher   // creates VMs that are ready for work
	Cloner      *clone.Cloner
	Baker       *image.Baker // makes images
	Resizer     *resize.Resizer
	Updater     update.Updater   // of tools and packages
	Rotator     *keys.Rotator    // of SSH keys
	Pruner      prune.Pruner     // deletes idle VMs
	Cleaner     *cleanup.Cleaner // deletes orphaned resources
	Inquirer    why.Inquirer     // finds what is wrong with a VM
}

// Open creates a Client. It sends no request: the first request signs in.
func Open(o Options) (*Client, error) {
	var record func(audit.Record) error
	under := func(name string) string {
		if o.StateDir == "" {
			return ""
		}
		return filepath.Join(o.StateDir, name)
	}
	if o.StateDir != "" {
		record = recorder(audit.Open(under("audit.jsonl")), o.Context, o.User)
	}
	if o.HTTP == nil {
		var err error
		if o.HTTP, err = o.Target.Cloud.HTTPClient(); err != nil {
			return nil, err
		}
	}
	door, err := azure.Open(azure.Options{
		Target: o.Target, Credential: o.Credential, HTTP: o.HTTP, Audit: record, ReadOnly: o.ReadOnly, Log: o.Log, Retry: o.Retry, Patience: o.Patience, Working: o.Working,
	})
	if err != nil {
		return nil, err
	}
	c := &Client{Azure: door, Catalog: catalog.New(door, under("cache"))}
	c.Networks, c.Disks = network.New(door), disk.New(door)
	c.Operator = network.Operator{Network: c.Networks, Name: o.User, Source: o.Launch.SSHSource, EchoServices: o.EchoServices, HTTP: o.HTTP}
	c.VMs = vm.New(door, vm.Options{Network: c.Networks, SessionNames: o.SessionNames, Listed: o.Listed})
	c.Provisioner = provision.New(door, provision.Options{VMs: c.VMs, Catalog: c.Catalog, Network: c.Networks, Disks: c.Disks})
	if c.Bastions, err = bastion.New(door, bastion.Options{HTTP: o.HTTP, Dir: under("tunnels")}); err != nil {
		return nil, err
	}
	c.Hosts = reach.Finder{
		VMs: c.VMs, KnownHosts: knownhosts.File{Path: under("known_hosts")},
		Port: o.SSHPort, AgentSocket: o.AgentSocket, Bastions: c.Bastions, ProxyCommand: o.ProxyCommand,
		Limits: o.SSHLimits, Dials: &remote.Dials{},
		Guard: reach.Guard{ReadOnly: o.ReadOnly, Record: record, Subscription: o.Target.SubscriptionID},
	}
	backups := keys.Backups{Dir: under("keys")}
	defaultKey := strings.TrimSuffix(o.Launch.KeyPath, ".pub")
	c.Hosts.DefaultKey, c.Hosts.EarlierKeys = defaultKey, backups.Earlier(defaultKey)
	c.Prices = cost.New(cost.Options{Endpoint: o.PriceService, HTTP: o.HTTP, CacheDir: under("cache")})
	c.Catalog.Prices = c.Prices
	operations := change.Store{Dir: under("operations")}
	c.Templates = template.Store{Dir: under("templates")}
	c.History = history.Log{Path: under("connections.jsonl")}
	c.Launcher = &launch.Launcher{
		VMs: c.VMs, Provisioner: c.Provisioner, Catalog: c.Catalog, Bastions: c.Bastions, Prices: c.Prices, Reach: c.Hosts, Target: o.Target, Owner: o.User,
		Network: c.Networks, Operator: c.Operator, Notifier: o.Notifier, Operations: operations,
		Access: o.Access, Defaults: o.Launch,
	}
	c.Cleaner = &cleanup.Cleaner{Azure: door, VMs: c.VMs, Provisioner: c.Provisioner, Prices: c.Prices, Operations: operations}
	c.Rotator = &keys.Rotator{
		VMs: c.VMs, Reach: c.Hosts, Operations: operations, Backups: backups, DefaultKey: defaultKey,
		Subscription: o.Target.SubscriptionID,
	}
	c.Cloner = &clone.Cloner{
		Azure: door, VMs: c.VMs, Provisioner: c.Provisioner, Catalog: c.Catalog, Disks: c.Disks, Reach: c.Hosts, Prices: c.Prices, Owner: o.User,
	}
	c.Baker = &image.Baker{Azure: door, VMs: c.VMs, Provisioner: c.Provisioner, Catalog: c.Catalog, Disks: c.Disks, Owner: o.User}
	c.Resizer = &resize.Resizer{Azure: door, VMs: c.VMs, Catalog: c.Catalog, Prices: c.Prices}
	c.Updater = update.Updater{Reach: c.Hosts, Operations: operations}
	c.Statuses = status.Dashboard{VMs: c.VMs, Disks: c.Disks, Reach: c.Hosts, Prices: c.Prices, History: c.History}
	c.Details = detail.Reader{Disks: c.Disks, Networks: c.Networks, Hosts: c.Hosts, Statuses: c.Statuses}
	c.Pruner = prune.Pruner{Statuses: c.Statuses, Clock: door.Clock()}
	c.Logs = logs.Reader{VMs: c.VMs, Reach: c.Hosts}
	c.Inquirer = why.Inquirer{Azure: door, VMs: c.VMs, Reach: c.Hosts, Operator: &c.Operator}
	c.Operations = &change.Service{Azure: door, Store: operations, Handlers: c.handlers(o.User)}
	return c, nil
}

// handlers cover all kinds of operations that can be interrupted. Add a new kind here.
func (c *Client) handlers(owner string) []change.Handler {
	return []change.Handler{
		c.Launcher.Handler(),
		c.Cloner.Handler(c.Operator.From),
		c.Baker.Handler(),
		c.Resizer.Handler(),
		c.Bastions.Handler(owner),
		c.Updater.Handler(),
		c.Rotator.Handler(),
		c.VMs.Handler(),
	}
}
