// Package reach turns a VM that Azure knows into a host to connect to: its address, port, login user, and above all its
// expected host key.
// Host and Way open no connection, except to read the key of a machine that the caller has decided to trust; Dial and
// Execute do.
package reach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/vm"
)

// Finder finds the hosts of one subscription.
type Finder struct {
	VMs         *vm.Service
	KnownHosts  knownhosts.File
	Port        int    // 0: 22
	AgentSocket string // SSH_AUTH_SOCK; empty: no agent

	// DefaultKey is the default private key. With it, EarlierKeys are also offered: the keys it replaced, newest first,
	// because a VM that a rotation has not reached yet accepts only those.
	DefaultKey  string
	EarlierKeys []EarlierKey

	Bastions *bastion.Service // routes to VMs without a public address; nil: there are none
	// ProxyCommand returns the command that connects to the VM with an id through the Bastion with an id, for the system's
	// ssh. With an empty bastionID the command must find one. Nil: Host.ProxyCommand is not set.
	ProxyCommand func(vmID, bastionID string) []string

	Guard Guard // for azlin's own changes inside VMs

	Limits remote.Limits // how long a VM may be silent; the zero value: the defaults
	Dials  *remote.Dials // limits simultaneous connection attempts to a VM; nil: no limit
}

// EarlierKey is a former default key.
type EarlierKey struct {
	Path  string    // of the private half
	Until time.Time // when it was replaced
}

// Options of one look-up. The zero value uses the VM's known properties.
type Options struct {
	User             string // empty: the VM's admin user, else azureuser
	KeyPath          string // private key; empty: Finder.DefaultKey if it exists, else only the agent's keys
	AcceptNewHostKey bool   // record any key from a VM without a known one
	RelearnHostKey   bool   // the VM was rebuilt: forget its key and read the current one through Azure
	Bastion          string // go through this Bastion (a name or id, or AnyBastion) even to a VM with a public address
}

// ErrStopped is the cause when a VM cannot be reached because it is not running.
var ErrStopped = errors.New("the VM is stopped")

// Host returns how to reach a VM and its expected host key. Its error is Way's, or HostKey when the key is unknown or
// differs from the recorded one.
func (f Finder) Host(ctx context.Context, i vm.Info, o Options) (remote.Host, error) {
	h, err := f.Way(ctx, i, o)
	if err != nil {
		return h, err
	}
	if o.RelearnHostKey {
		h.HostKey, err = f.relearn(ctx, i)
	} else {
		h.HostKey, err = f.hostKey(ctx, i, h, o.AcceptNewHostKey)
	}
	return h, err
}

// Way returns how to reach a VM: by its public address, else through the best Bastion that reaches its network (one or two
// requests). It leaves out the host key, for callers that only forward bytes. Its error is Conflict when the VM is not
// running and Unreachable when there is no route.
func (f Finder) Way(ctx context.Context, i vm.Info, o Options) (remote.Host, error) {
	h := f.describe(i, o)
	if i.IsStopped() {
		return h, &errkind.Error{
			Kind: errkind.Conflict, Op: "connect to", Resource: i.Name, Class: remote.ErrConnection,
			Err: &errkind.Error{Class: ErrStopped, Err: fmt.Errorf("it is %s", i.PowerState)}, Next: errkind.Step{Action: errkind.StartVM, VM: i.Name},
		}
	}
	if h.Address == "" || o.Bastion != "" {
		return f.through(ctx, i, h, o.Bastion)
	}
	return h, nil
}

// describe returns what is known about a VM without a request.
func (f Finder) describe(i vm.Info, o Options) remote.Host {
	if o.KeyPath == "" && f.DefaultKey != "" && keypair.KeyExists(filepath.Dir(f.DefaultKey), filepath.Base(f.DefaultKey)) {
		o.KeyPath = f.DefaultKey
	}
	h := remote.Host{
		Name: i.Name, VMID: i.VMID, Address: i.PublicIP, Port: f.Port,
		User: cmp.Or(o.User, i.AdminUsername, remote.DefaultUser), KeyPath: o.KeyPath, AgentSocket: f.AgentSocket,
		Limits: f.Limits, Dials: f.Dials,
	}
	if f.DefaultKey != "" && o.KeyPath == f.DefaultKey {
		h.EarlierKeys = f.earlierKeys(i.CreatedTime)
	}
	return h
}

// earlierKeys are the keys in the order in which to offer them to a VM: first the key that was the default when the VM was
// created, which the VM has unless it was rotated, then the newest.
func (f Finder) earlierKeys(created *time.Time) []string {
	var paths []string
	at := -1
	for n, k := range f.EarlierKeys {
		paths = append(paths, k.Path)
		if created != nil && k.Until.After(*created) {
			at = n
		}
	}
	if at > 0 {
		paths = slices.Insert(slices.Delete(paths, at, at+1), 0, f.EarlierKeys[at].Path)
	}
	return paths
}

// relearn replaces the recorded key, here and in the VM's tag, by the VM's current key. It reads the key through Azure's
// agent on the VM, never from the network.
func (f Finder) relearn(ctx context.Context, i vm.Info) (ssh.PublicKey, error) {
	key, err := f.fromRunCommand(ctx, i)
	if err != nil {
		return nil, &errkind.Error{
			Kind: errkind.HostKey, Op: "connect to", Resource: i.Name, Class: remote.ErrHostKey,
			Err: fmt.Errorf("its new host key cannot be read: %w", err),
		}
	}
	if err := f.KnownHosts.Forget(ctx, i.VMID); err != nil {
		return nil, err
	}
	if err := f.KnownHosts.Pin(ctx, i.VMID, key); err != nil {
		return nil, err
	}
	return key, f.VMs.SetHostKey(ctx, i.ID, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))))
}

// hostKey looks in this order: the record, the VM's tag, its serial log, and the VM itself through Azure's Run Command. All
// are as trustworthy as the Azure sign-in; the network is used only if the caller allows it.
func (f Finder) hostKey(ctx context.Context, i vm.Info, h remote.Host, acceptNew bool) (ssh.PublicKey, error) {
	key, err := f.KnownHosts.Identify(ctx, i.VMID, i.HostKey())
	if key != nil || err != nil {
		return key, err
	}
	var reasons []error
	for _, ask := range []func(context.Context, vm.Info) (ssh.PublicKey, error){f.fromSerialLog, f.fromRunCommand} {
		key, err := ask(ctx, i)
		if err == nil {
			return key, f.KnownHosts.Pin(ctx, i.VMID, key)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		reasons = append(reasons, err)
	}
	if acceptNew {
		key, err := remote.ScanHostKey(ctx, h)
		if err != nil {
			return nil, err
		}
		return key, f.KnownHosts.Pin(ctx, i.VMID, key)
	}
	return nil, &errkind.Error{
		Kind: errkind.HostKey, Op: "connect to", Resource: i.Name, Class: remote.ErrHostKey,
		Err: fmt.Errorf("its host key is not known: %w", errors.Join(reasons...)),
	}
}

// fromSerialLog finds the keys that cloud-init prints at the end of the first boot.
func (f Finder) fromSerialLog(ctx context.Context, i vm.Info) (ssh.PublicKey, error) {
	log, err := f.VMs.SerialLog(ctx, i.Ref)
	if err != nil {
		return nil, fmt.Errorf("read the serial log: %w", err)
	}
	key := parseSerialKeys(string(log))
	if key == nil {
		return nil, errors.New("the serial log shows no host key")
	}
	return key, nil
}

// fromRunCommand reads the key through Azure's agent on the VM.
func (f Finder) fromRunCommand(ctx context.Context, i vm.Info) (ssh.PublicKey, error) {
	out, err := f.VMs.RunCommand(ctx, i.Ref, "cat /etc/ssh/ssh_host_ed25519_key.pub /etc/ssh/ssh_host_ecdsa_key.pub 2>/dev/null")
	if err != nil {
		return nil, fmt.Errorf("ask the VM through Run Command: %w", err)
	}
	if key := firstKey(out.Stdout); key != nil {
		return key, nil
	}
	return nil, errors.New("the VM printed no host key")
}

// The lines between which cloud-init prints host keys. A VM that was rebuilt in place prints them again, so the last block
// is used.
const (
	keysBegin = "-----BEGIN SSH HOST KEY KEYS-----"
	keysEnd   = "-----END SSH HOST KEY KEYS-----"
)

func parseSerialKeys(log string) ssh.PublicKey {
	begin := strings.LastIndex(log, keysBegin)
	if begin < 0 {
		return nil
	}
	block, _, complete := strings.Cut(log[begin+len(keysBegin):], keysEnd)
	if !complete {
		return nil
	}
	return firstKey(block)
}

// firstKey returns the ed25519 key among the lines of text, else the first key of any kind.
func firstKey(text string) ssh.PublicKey {
	var first ssh.PublicKey
	for line := range strings.Lines(text) {
		// The serial console may put a time stamp in front of a line.
		at := strings.Index(line, "ssh-")
		if ecdsa := strings.Index(line, "ecdsa-"); at < 0 || ecdsa >= 0 && ecdsa < at {
			at = ecdsa
		}
		if at < 0 {
			continue
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line[at:]))
		if err != nil {
			continue
		}
		if key.Type() == ssh.KeyAlgoED25519 {
			return key
		}
		if first == nil {
			first = key
		}
	}
	return first
}
