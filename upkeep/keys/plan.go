package keys

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Plan is a planned rotation.
type Plan struct {
	Old      Key
	New      Key    // without Path and Fingerprint: it is generated when the rotation begins
	Switches bool   // the new key becomes the default key
	Resumes  bool   // it resumes one that was interrupted or could not reach every VM
	Default  string // private half of the default key

	VMs []Target

	op       *change.Operation
	state    state
	options  Options
	replaced []Key    // the old key and its predecessors: a VM that missed a rotation has one of them
	earlier  []string // private halves that may sign in
	mu       sync.Mutex
}

// Report sets f to be called before and after each step, from several goroutines.
func (p *Plan) Report(f func(Step)) { p.options.Report = f }

// Unreachable returns why VMs are left out.
func (p *Plan) Unreachable() []error {
	var errs []error
	for _, t := range p.VMs {
		if t.Err != nil {
			errs = append(errs, t.Err)
		}
	}
	return errs
}

// Action is the planned action on a VM.
type Action string

// The actions of a rotation.
const (
	Replace  Action = "replace"    // it has the old key or a predecessor
	Add      Action = "add"        // it accepts another available key, and has none of these
	Remove   Action = "remove old" // it has both
	Nothing  Action = "nothing"    // it has the new key only
	AskAzure Action = "ask Azure"  // no available key can sign in: Azure's agent adds the new one
	Skip     Action = "skip"       // it cannot be reached; Err has the reason
)

// Target is one VM of a rotation.
type Target struct {
	VM     vm.Info
	Action Action
	Err    error

	host   remote.Host
	hadOld []ssh.PublicKey // the replaced keys that were found when the new one was added
}

// state is the content of the operation's file.
type state struct {
	Old       string   `json:"old"`                // public half
	Earlier   []string `json:"earlier,omitempty"`  // public halves of its predecessors
	OldPath   string   `json:"old_path"`           // path of the private half when the rotation began
	New       string   `json:"new,omitempty"`      // public half; empty: not generated yet
	NewPath   string   `json:"new_path"`           // either half
	Generated bool     `json:"generated"`          // azlin generated it for this rotation
	Switch    bool     `json:"switch"`             // it becomes the default key
	Backup    string   `json:"backup,omitempty"`   // copy of the old key
	NoBackup  bool     `json:"no_backup"`          // delete the copy at the end
	User      string   `json:"user,omitempty"`     // login user; empty: each VM's own
	VMs       []string `json:"vms"`                // ids of unfinished VMs
	Switched  bool     `json:"switched,omitempty"` // the new key is the default key
}

// generatedFile is the file name of a pair generated for a rotation, in its own directory.
const generatedFile = "azlin_key"

// atOnce limits how many VMs are processed in parallel.
const atOnce = 10

// Plan plans a rotation of the keys of vms: it signs in to each and reads its keys. It changes nothing. An unfinished
// rotation is resumed, for its VMs and for these; with another new key that is a Conflict. newKey is either half of the new
// key; empty is a newly generated one, or the default key if that is not the one to replace.
func (r *Rotator) Plan(ctx context.Context, vms []vm.Info, newKey string, o Options) (*Plan, error) {
	if o.SSH.KeyPath != "" {
		return nil, errkind.New(errkind.Invalid, "the keys of a rotation are OldKey and the new one; SSH.KeyPath (%s) must be empty", o.SSH.KeyPath)
	}
	p := &Plan{options: o, Default: r.DefaultKey, earlier: r.earlierPaths()}
	op, err := r.Unfinished()
	if err != nil {
		return nil, err
	}
	if op != nil {
		err = r.goOn(ctx, p, op, newKey)
	} else {
		err = r.begin(ctx, p, newKey)
	}
	if err != nil {
		return nil, err
	}
	if err := r.choose(ctx, p, vms); err != nil {
		return nil, err
	}
	p.look(ctx, r)
	return p, context.Cause(ctx)
}

// choose lists the VMs: the requested ones, and those left by an unfinished rotation.
func (r *Rotator) choose(ctx context.Context, p *Plan, vms []vm.Info) error {
	for _, i := range vms {
		p.add(i)
	}
	listed := map[string][]vm.Info{} // by group: a caller that may read only some groups finds only their VMs
	for _, id := range p.state.VMs {
		parsed, err := azure.ParseID(id)
		if err != nil || p.target(id) != nil {
			continue
		}
		group := strings.ToLower(parsed.ResourceGroup)
		if _, ok := listed[group]; !ok {
			all, err := r.VMs.List(ctx, vm.ListOptions{ResourceGroup: group, All: true})
			if err != nil && errkind.Of(err) != errkind.NotFound {
				return err
			}
			listed[group] = all.VMs
		}
		if n := slices.IndexFunc(listed[group], func(i vm.Info) bool { return azure.SameID(i.ID, id) }); n >= 0 {
			p.add(listed[group][n]) // a deleted VM needs no key
		}
	}
	p.state.VMs = nil
	for _, t := range p.VMs {
		p.state.VMs = append(p.state.VMs, t.VM.ID)
	}
	return nil
}

func (p *Plan) add(i vm.Info) {
	if p.target(i.ID) == nil {
		p.VMs = append(p.VMs, Target{VM: i})
	}
}

func (p *Plan) target(id string) *Target {
	for n := range p.VMs {
		if azure.SameID(p.VMs[n].VM.ID, id) {
			return &p.VMs[n]
		}
	}
	return nil
}

// atHand returns the private halves that may sign in.
func (p *Plan) atHand() []string {
	var paths []string
	for _, path := range append([]string{p.New.Path, p.state.OldPath, p.state.Backup, p.Default}, p.earlier...) {
		if path != "" && !strings.HasSuffix(path, ".pub") && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// look signs in to the VMs and decides the action on each.
func (p *Plan) look(ctx context.Context, r *Rotator) {
	batch.Each(ctx, len(p.VMs), atOnce, func(n int) {
		t := &p.VMs[n]
		ctx, cancel := p.limit(ctx)
		defer cancel()
		t.Action, t.Err = p.lookAt(ctx, r, t)
		t.Err = late(ctx, t.VM.Name, t.Err)
	})
}

func (p *Plan) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return within(ctx, cmp.Or(p.options.Timeout, DefaultTimeout))
}

// azureTakes is the additional time for Azure's agent.
const azureTakes = 5 * time.Minute

// limitOf is limit for one VM.
func (p *Plan) limitOf(ctx context.Context, t *Target) (context.Context, context.CancelFunc) {
	d := cmp.Or(p.options.Timeout, DefaultTimeout)
	if t.Action == AskAzure {
		d += azureTakes
	}
	return within(ctx, d)
}

// late replaces a failure's cause by the timeout if the VM's time is up, whichever timer fired first.
func late(ctx context.Context, name string, err error) error {
	deadline, ok := ctx.Deadline()
	if err == nil || !ok || time.Now().Before(deadline) || errkind.Of(err) == errkind.HostKey {
		return err
	}
	<-ctx.Done()
	return &errkind.Error{Kind: errkind.Unreachable, Op: "reach", Resource: name, Class: ErrRotation, Err: context.Cause(ctx)}
}

func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, errkind.New(errkind.Unreachable, "it was not done within %s", d))
}

func (p *Plan) lookAt(ctx context.Context, r *Rotator, t *Target) (Action, error) {
	var err error
	t.host, err = r.Reach.Host(ctx, t.VM, reach.Options{
		User: p.options.SSH.User, Bastion: p.options.SSH.Bastion, AcceptNewHostKey: p.options.SSH.AcceptNewHostKey,
	})
	if err != nil {
		return Skip, err
	}
	c, err := p.connect(ctx, t.host)
	if err != nil {
		refused := errors.Is(err, remote.ErrKeyRefused) || errkind.Of(err) == errkind.Permission
		switch {
		case p.options.ViaAzure && refused:
			return AskAzure, nil
		case refused:
			return Skip, &errkind.Error{
				Kind: errkind.Permission, Op: "rotate key of", Resource: t.VM.Name, Class: ErrRotation,
				Err:  errkind.New(errkind.Permission, "it accepts neither the old key nor another one at hand for user %s", t.host.User),
				Next: errkind.Step{Action: errkind.PushKey, VM: t.VM.Name},
			}
		}
		return Skip, err
	}
	defer c.Close()
	content, _, err := readAuthorized(ctx, c)
	if err != nil {
		return Skip, err
	}
	has, hasNew := len(p.present(content)) > 0, p.New.Public != nil && lets(content, p.New.Public)
	switch {
	case has && hasNew:
		return Remove, nil
	case has:
		return Replace, nil
	case hasNew:
		return Nothing, nil
	}
	return Add, nil
}

// forgetGenerated removes the key pair generated for the rotation.
func (p *Plan) forgetGenerated() error {
	if !p.state.Generated {
		return nil
	}
	return os.RemoveAll(filepath.Dir(p.state.NewPath))
}
