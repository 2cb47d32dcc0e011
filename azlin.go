package azlin

import (
	"log/slog"
	"net/http"
	"path/filepath"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/audit"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/notify"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Options says where to work. Target.SubscriptionID and Credential must be set.
type Options struct {
	Target     azure.Target
	Credential azcore.TokenCredential
	HTTP       *http.Client // nil: one that trusts the system's and the cloud's certificates

	StateDir     string   // known hosts, operations, cache and audit log; empty: nothing is kept or recorded
	SSHPort      int      // 0: 22
	AgentSocket  string   // SSH_AUTH_SOCK; empty: no agent
	PriceService string   // address of the retail price service; empty: cost.DefaultEndpoint
	EchoServices []string // that tell the operator's address; empty: launch.DefaultEchoServices
	ReadOnly     bool     // refuse every write before it is sent

	// SessionNames are this machine's names, by VM name, for VMs whose tag has none.
	SessionNames map[string]string

	Notifier *notify.Notifier // told when a launch ends; nil: nobody

	Context string // for the audit log
	User    string // for the audit log and the owner tag
	Log     *slog.Logger
	Retry   policy.RetryOptions // zero: azure.Options' own
}

// Client holds the services of one subscription. It may be used by several goroutines.
type Client struct {
	Azure    *azure.Client
	VMs      *vm.Service
	Reach    reach.Finder
	Prices   *cost.Prices
	Launcher *launch.Launcher
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
		Target: o.Target, Credential: o.Credential, HTTP: o.HTTP, Audit: record, ReadOnly: o.ReadOnly, Log: o.Log, Retry: o.Retry,
	})
	if err != nil {
		return nil, err
	}
	c := &Client{Azure: door, VMs: vm.New(door, vm.Options{CacheDir: under("cache"), SessionNames: o.SessionNames})}
	c.Reach = reach.Finder{
		VMs: c.VMs, KnownHosts: remote.KnownHosts{Path: under("known_hosts")},
		Port: o.SSHPort, AgentSocket: o.AgentSocket,
	}
	c.Prices = cost.New(cost.Options{Endpoint: o.PriceService, HTTP: o.HTTP, CacheDir: under("cache")})
	c.Launcher = &launch.Launcher{
		VMs: c.VMs, Prices: c.Prices, Reach: c.Reach, Target: o.Target, Owner: o.User, HTTP: o.HTTP,
		EchoServices: o.EchoServices, Notifier: o.Notifier, OperationsDir: under("operations"),
	}
	return c, nil
}
