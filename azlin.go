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
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/local/notify"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/repository"
	"github.com/azlin-dev/azlin/upkeep/cleanup"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/disk"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Options says where to work. Target.SubscriptionID and Credential must be set.
type Options struct {
	Target     azure.Target
	Credential azcore.TokenCredential
	HTTP       *http.Client // nil: one that trusts the system's and the cloud's certificates

	StateDir     string // known hosts, operations, cache and audit log; empty: nothing is kept or recorded
	SSHPort      int    // 0: 22
	SSHLimits    remote.Limits
	ProxyCommand []string // see reach.Finder; empty: interactive sessions reach public addresses only
	AgentSocket  string   // SSH_AUTH_SOCK; empty: no agent
	PriceService string   // address of the retail price service; empty: cost.DefaultEndpoint
	EchoServices []string // that tell the operator's address; empty: network.DefaultEchoServices
	ReadOnly     bool     // refuse every write before it is sent

	// SessionNames are this machine's names, by VM name, for VMs whose tag has none.
	SessionNames map[string]string

	Notifier *notify.Notifier  // told when a launch ends; nil: nobody
	Access   repository.Access // what may be lent to the clone of a launch
	Launch   launch.Defaults   // for what a launch leaves open

	Context string // for the audit log
	User    string // for the audit log and the owner tag
	Log     *slog.Logger
	Retry   policy.RetryOptions // zero: azure.Options' own

	Patience time.Duration // how long an operation of Azure's is waited for; zero: azure.DefaultPatience
}

// Client holds the services of one subscription. It may be used by several goroutines.
type Client struct {
	Azure       *azure.Client
	Catalog     *catalog.Service
	Network     *network.Service
	Operator    network.Operator // who works here, and from where
	Disks       *disk.Service
	VMs         *vm.Service
	Provisioner *provision.Service
	Bastions    *bastion.Service
	Reach       reach.Finder
	Prices      *cost.Prices
	Launcher    *launch.Launcher
	Keys        *keys.Rotator
	Cleaner     *cleanup.Cleaner
}

// Open makes a Client. It sends nothing: the first request signs in.
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
		Target: o.Target, Credential: o.Credential, HTTP: o.HTTP, Audit: record, ReadOnly: o.ReadOnly, Log: o.Log, Retry: o.Retry, Patience: o.Patience,
	})
	if err != nil {
		return nil, err
	}
	c := &Client{Azure: door, Catalog: catalog.New(door, under("cache"))}
	c.Network, c.Disks = network.New(door), disk.New(door)
	c.Operator = network.Operator{Network: c.Network, Name: o.User, Source: o.Launch.SSHSource, EchoServices: o.EchoServices, HTTP: o.HTTP}
	c.VMs = vm.New(door, vm.Options{Network: c.Network, SessionNames: o.SessionNames})
	c.Provisioner = provision.New(door, provision.Options{VMs: c.VMs, Catalog: c.Catalog, Network: c.Network, Disks: c.Disks})
	if c.Bastions, err = bastion.New(door, bastion.Options{HTTP: o.HTTP, Dir: under("tunnels")}); err != nil {
		return nil, err
	}
	c.Reach = reach.Finder{
		VMs: c.VMs, KnownHosts: remote.KnownHosts{Path: under("known_hosts")},
		Port: o.SSHPort, AgentSocket: o.AgentSocket, Bastions: c.Bastions, ProxyCommand: o.ProxyCommand,
		Limits: o.SSHLimits, Dials: &remote.Dials{},
		Guard: reach.Guard{ReadOnly: o.ReadOnly, Record: record, Subscription: o.Target.SubscriptionID},
	}
	backups := keys.Backups{Dir: under("keys")}
	defaultKey := strings.TrimSuffix(o.Launch.KeyPath, ".pub")
	c.Reach.DefaultKey, c.Reach.EarlierKeys = defaultKey, backups.Earlier(defaultKey)
	c.Prices = cost.New(cost.Options{Endpoint: o.PriceService, HTTP: o.HTTP, CacheDir: under("cache")})
	c.Catalog.Prices = c.Prices
	c.Launcher = &launch.Launcher{
		VMs: c.VMs, Provisioner: c.Provisioner, Catalog: c.Catalog, Bastions: c.Bastions, Prices: c.Prices, Reach: c.Reach, Target: o.Target, Owner: o.User,
		Network: c.Network, Operator: c.Operator, Notifier: o.Notifier, Operations: change.Store{Dir: under("operations")},
		Access: o.Access, Defaults: o.Launch,
	}
	c.Cleaner = &cleanup.Cleaner{Azure: door, VMs: c.VMs, Provisioner: c.Provisioner, Prices: c.Prices, Operations: c.Launcher.Operations}
	c.Keys = &keys.Rotator{
		VMs: c.VMs, Reach: c.Reach, Operations: c.Launcher.Operations, Backups: backups, DefaultKey: defaultKey,
		Subscription: o.Target.SubscriptionID,
	}
	return c, nil
}
