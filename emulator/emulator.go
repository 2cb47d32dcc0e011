package emulator

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/azlin-dev/azlin/emulator/activity"
	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/bastion"
	"github.com/azlin-dev/azlin/emulator/compute"
	"github.com/azlin-dev/azlin/emulator/credential"
	"github.com/azlin-dev/azlin/emulator/duration"
	"github.com/azlin-dev/azlin/emulator/entra"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/emulator/fleet"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/emulator/network"
	"github.com/azlin-dev/azlin/emulator/rbac"
	"github.com/azlin-dev/azlin/emulator/record"
	"github.com/azlin-dev/azlin/emulator/resources"
	"github.com/azlin-dev/azlin/emulator/state"
	"github.com/azlin-dev/azlin/emulator/storage"
)

// HostMain must be called first in main and in every TestMain of programs whose emulator boots VMs:
// a VM's first process is this program started again.
func HostMain() { host.Main() }

// Options set up an Emulator. The zero value is a fast one that lives in memory and boots nothing.
type Options struct {
	Dir        string        // where state is kept; empty: in memory only
	Hosts      *host.Runtime // boots the VMs; nil: VMs exist in Azure Resource Manager only
	OperatorIP netip.Addr    // where the VMs see their operator; zero: 203.0.113.10
	Realistic  bool          // operations last as long as in Azure, and rate limits are Azure's
	Log        *slog.Logger  // nil: nothing is logged
	Throttle   Throttle      // how strict rate limits are; zero: see there
	PageSize   int           // resources per page of a list; 0: 200

	// TokenLifetime is how long access tokens are valid, in wall time. 0: one hour.
	TokenLifetime time.Duration
	// Principals may sign in beside the default one, which may do everything.
	Principals []Principal
	// Devices says what becomes of device codes. Zero: the user is signed in at the first poll.
	Devices DevicePolicy
	// Unregistered are resource providers that the subscription has not registered yet.
	Unregistered []string
	// Quota overrides limits by usage name, in all regions: cores, lowPriorityCores, standardDSv5Family (vCPUs),
	// PublicIPAddresses and the other usages of the network.
	Quota map[string]int
	// Restricted are VM sizes that the subscription may not use, as "size", "size@region" or
	// "size@region/zone": requests are refused with SkuNotAvailable.
	Restricted []string
	// Exhausted are VM sizes, in the same forms, that a region has run out of: operations fail with
	// AllocationFailed or ZonalAllocationFailed.
	Exhausted []string
	// EncryptionAtHost says that the subscription has registered the feature.
	EncryptionAtHost bool
	// Sockets makes Bastions listen at their addresses, with certificates of Dir's authority. Without it only
	// Client reaches them.
	Sockets bool
	// Policies are rules about tags that Azure Policy enforces.
	Policies []TagPolicy
	// Lag is how long a new resource is not found by those who ask for it: Azure's caches take their time.
	Lag time.Duration
	// Record gets each request and its answer as a line of JSON, with secrets masked; see package record.
	// Nil: nothing is recorded.
	Record io.Writer
	// Duration overrides how long an operation of a kind takes. See durations.go for the kinds.
	Duration func(kind string) time.Duration

	endpoint string // host of Azure Resource Manager, where a daemon serves it
}

// Emulator is a local Azure.
type Emulator struct {
	arm       *arm.Server
	entra     *entra.Server
	access    *rbac.Directory
	compute   *compute.Provider
	net       *network.Provider
	tunnels   *bastion.Server
	sockets   *bastionServers // nil unless Bastions listen
	endpoint  string          // host of Azure Resource Manager, where a daemon serves it
	hosts     *fleet.Hosts    // nil without a runtime
	saver     *state.Saver    // nil without a directory
	identity  Identity
	handler   http.Handler
	faults    *fault.Set
	policies  []TagPolicy // behind the server's lock
	operator  netip.Addr
	realistic bool
	throttle  string
	log       *slog.Logger
	stop      context.CancelFunc
	running   sync.WaitGroup

	bastionPorts atomic.Uint32 // source ports of connections from Bastions
}

// New makes an emulator, with the state that Dir holds from an earlier one. Close it when it has a
// directory or hosts.
func New(opt Options) (*Emulator, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if !opt.OperatorIP.IsValid() {
		opt.OperatorIP = netip.MustParseAddr("203.0.113.10")
	}
	keys, err := credential.LoadKeys(opt.Dir)
	if err != nil {
		return nil, err
	}
	e := &Emulator{faults: &fault.Set{}, log: opt.Log, operator: opt.OperatorIP, realistic: opt.Realistic, endpoint: opt.endpoint, identity: Identity{TenantID: tenantID, SubscriptionID: subscriptionID, ClientID: clientID, ClientSecret: keys.Secret, IdentityHeader: keys.Header}}
	e.handler = e.faults.Handler(http.HandlerFunc(e.route), faultable)
	if opt.Record != nil {
		e.handler = record.Handler(e.handler, opt.Record, opt.Log)
	}
	signing, err := hex.DecodeString(keys.Signing)
	if err != nil {
		return nil, err
	}
	e.entra = entra.New(entra.Options{
		TenantID: tenantID, ClientID: clientID, ClientSecret: keys.Secret, ObjectID: objectID, UserID: userID,
		UserName: "developer@local.onmicrosoft.com", Key: signing, Lifetime: opt.TokenLifetime, Devices: opt.Devices, IdentityHeader: keys.Header, Shared: opt.endpoint != "",
		Audiences: audiences(),
	})
	pace, err := opt.Throttle.pace(opt.Realistic)
	if err != nil {
		return nil, fmt.Errorf("open emulator: %w", err)
	}
	e.throttle = map[int]string{0: string(ThrottleOff), 1: string(ThrottleAzure), fastPace: "fast"}[pace]
	if opt.Duration == nil {
		opt.Duration = func(kind string) time.Duration { return duration.Duration(kind, opt.Realistic) }
	}
	var slowed func(time.Duration, int) time.Duration
	if opt.Realistic {
		slowed = duration.Crowded
	}
	e.arm = arm.New(arm.Options{
		TenantID: tenantID, SubscriptionID: subscriptionID, PageSize: opt.PageSize, Unregistered: opt.Unregistered,
		Duration: opt.Duration, Crowded: slowed, Pace: max(1, pace), Unlimited: pace == 0, PerResource: pace == 1, Actor: e.actor, Hasty: !opt.Realistic, Authorize: e.authorize, Log: opt.Log,
		Fault: e.operationFault, Stuck: e.faults.Has,
	})
	e.access = rbac.Register(e.arm, e.entra.Caller)
	for _, p := range slices.Concat(opt.Principals, []Principal{defaultIdentity()}) {
		if err := e.PutPrincipal(p); err != nil {
			return nil, fmt.Errorf("open emulator: %w", err)
		}
	}
	activity.Register(e.arm, e.entra.Caller)
	e.policies = slices.Clone(opt.Policies)
	e.arm.Guard(e.police)
	if opt.Lag > 0 {
		e.arm.Guard(func(c *arm.Call) error { return late(c, opt.Lag) })
	}
	resources.Register(e.arm)
	net := network.Register(e.arm, opt.Quota)
	storage.Register(e.arm, opt.Quota)
	co := compute.Options{Operator: opt.OperatorIP, Quota: opt.Quota, Restricted: opt.Restricted, Exhausted: opt.Exhausted, EncryptionAtHost: opt.EncryptionAtHost}
	if opt.Hosts != nil {
		e.hosts = fleet.NewHosts(opt.Hosts, opt.Log)
		opt.Hosts.SetFaults(e.faults.OnSSH)
		co.Hosts = e.hosts
		net.Free = opt.Hosts.Free
	}
	e.net = net
	e.compute = compute.Register(e.arm, net, co)
	e.tunnels = bastion.New(bastionPlace{e}, opt.Log)
	if opt.Sockets {
		if err := e.openSockets(opt); err != nil {
			return nil, err
		}
	}
	if opt.Dir != "" {
		if e.saver, err = state.OpenSaver(opt.Dir, e.arm, opt.Log); err != nil {
			return nil, err
		}
	}
	e.start()
	return e, nil
}

// audiences are the resource managers of Microsoft's clouds, by the names that clients ask tokens for:
// the emulator can stand for any of them.
func audiences() []string {
	return []string{
		"https://management.azure.com", "https://management.core.windows.net",
		"https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net",
		"https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn",
	}
}

// start sets going what goes on without requests: only hosts need that.
func (e *Emulator) start() {
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.arm.OnChange(func() {
		if e.hosts != nil {
			e.hosts.Reconcile(ctx, e.compute)
		}
		e.keepBastions(ctx)
		if e.saver != nil {
			e.saver.Touch()
		}
	})
	e.keepBastions(ctx)
	if e.hosts == nil {
		return
	}
	e.hosts.Restore(ctx, e.compute)
	e.running.Go(func() { e.arm.Drive(ctx) })
}

// Close saves the state and lets go of the hosts, which the caller closes.
func (e *Emulator) Close() error {
	e.stop()
	e.tunnels.Close()
	if e.sockets != nil {
		e.sockets.close()
	}
	e.running.Wait()
	if e.hosts != nil {
		e.hosts.Wait()
	}
	if e.saver != nil {
		return e.saver.Close()
	}
	return nil
}

// Reset removes all resources with their hosts, and takes the cloud's time back to the present. Identity, directory and
// server stay.
func (e *Emulator) Reset() { e.arm.Clear() }

// Routes lists what is emulated: "GET /subscriptions/{subscriptionId}/...".
func (e *Emulator) Routes() []string {
	var l []string
	for _, r := range e.arm.Routes() {
		l = append(l, r.Method+" "+r.Template)
	}
	return l
}

// ServeHTTP answers as Azure's endpoints do, all of them on one host.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

func (e *Emulator) route(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case e.sockets == nil && isBastion(r.Host):
		e.tunnels.ServeHTTP(w, r)
	case e.site(w, r):
	case entra.Handles(path):
		e.entra.ServeHTTP(w, r)
	case strings.HasPrefix(path, compute.BlobPath):
		e.compute.Blobs().ServeHTTP(w, r)
	default:
		e.arm.ServeHTTP(w, r)
	}
}

// authorize lets a request with a valid token pass.
func (e *Emulator) authorize(r *http.Request) *arm.Error {
	hostName := r.Host
	if hostName == "" {
		hostName = r.URL.Host
	}
	err := e.entra.Verify(r.Header.Get("Authorization"), hostName)
	if err == nil {
		return nil
	}
	refused := arm.Refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "%v", err)
	claims := ""
	if t, ok := errors.AsType[*entra.TokenError](err); ok {
		refused.Code, refused.Message, claims = t.Code, t.Message, t.Claims
	}
	refused.Header = http.Header{"Www-Authenticate": {entra.Authenticate(hostName, tenantID, claims)}}
	return refused
}

// Counts says what there is and what was asked.
type Counts struct {
	Resources map[string]int // by type
	Requests  map[string]int // to the resource manager, by method
	Tokens    map[string]int // given out, by how they were asked for: secret, certificate, federated, device_code, ...
	// Actions are what requests needed and were granted, in Azure's names, by the level they were needed
	// at: tenant, subscription or group.
	Actions map[string]map[string]int
}

// Counts returns the present counts.
func (e *Emulator) Counts() Counts {
	c := Counts{Resources: e.arm.Resources(), Requests: e.arm.Requests(), Tokens: e.entra.Issued(), Actions: map[string]map[string]int{}}
	for need, n := range e.access.Done() {
		if c.Actions[need.Action] == nil {
			c.Actions[need.Action] = map[string]int{}
		}
		c.Actions[need.Action][need.Level] += n
	}
	return c
}

// stateNote is what a user should know of the state's files; empty: nothing.
func (e *Emulator) stateNote() string {
	if e.saver == nil {
		return ""
	}
	return strings.Join(e.saver.Notes, "; ")
}
