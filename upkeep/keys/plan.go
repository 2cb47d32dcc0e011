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

// Plan is what a rotation is about to do.
type Plan struct {
	Old      Key
	New      Key    // without Path and Fingerprint: it is made when the rotation begins
	Switches bool   // the new key becomes the default key
	Resumes  bool   // it goes on with one that was cut off, or could not reach every VM
	Default  string // private half of the default key

	VMs []Target

	op       *change.Operation
	state    state
	options  Options
	replaced []Key    // the old key, and those that it took the place of: VMs that missed a rotation have one of them
	earlier  []string // private halves that may let in
	mu       sync.Mutex
}

// Report has f told before and after each step, from several goroutines.
func (p *Plan) Report(f func(Step)) { p.options.Report = f }

// Unreachable says why VMs are left out.
func (p *Plan) Unreachable() []error {
	var errs []error
	for _, t := range p.VMs {
		if t.Err != nil {
			errs = append(errs, t.Err)
		}
	}
	return errs
}

// Action is what is to be done on a VM.
type Action string

// The actions of a rotation.
const (
	Replace  Action = "replace"    // it has the old key, or one that that took the place of
	Add      Action = "add"        // it lets in by another key that is at hand, and has none of these
	Remove   Action = "remove old" // it has both
	Nothing  Action = "nothing"    // it has the new key only
	AskAzure Action = "ask Azure"  // no key at hand lets in: Azure's agent adds the new one
	Skip     Action = "skip"       // it cannot be reached; Err says why
)

// Target is one VM of a rotation.
type Target struct {
	VM     vm.Info
	Action Action
	Err    error

	host   remote.Host
	hadOld []ssh.PublicKey // of the replaced keys, seen when the new one was added
}

// state is what the operation's file holds.
type state struct {
	Old       string   `json:"old"`                // public half
	Earlier   []string `json:"earlier,omitempty"`  // public halves of the keys that the old one took the place of
	OldPath   string   `json:"old_path"`           // where the private half was when it began
	New       string   `json:"new,omitempty"`      // public half; empty: not made yet
	NewPath   string   `json:"new_path"`           // either half
	Generated bool     `json:"generated"`          // azlin made it for this rotation
	Switch    bool     `json:"switch"`             // it is to become the default key
	Backup    string   `json:"backup,omitempty"`   // copy of the old key
	NoBackup  bool     `json:"no_backup"`          // delete the copy at the end
	User      string   `json:"user,omitempty"`     // login user; empty: each VM's own
	VMs       []string `json:"vms"`                // ids of those that are not done
	Switched  bool     `json:"switched,omitempty"` // the new key is the default key
}

// generatedFile is the name of a pair that is made for a rotation, in a directory of its own.
const generatedFile = "azlin_key"

// atOnce bounds how many VMs are worked on at the same time.
const atOnce = 10

// Plan finds out what a rotation of the key of vms has to do: it signs in to each of them and reads who is let in. It
// changes nothing. A rotation that was not finished is gone on with, for its VMs and for these; with another new key it
// is a Conflict. newKey is either half of the key that is to come; empty is a new one, or the default key when that is not
// the one to be replaced.
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

// choose lists the VMs: those that were asked for, and those that an unfinished rotation still has to do.
func (r *Rotator) choose(ctx context.Context, p *Plan, vms []vm.Info) error {
	for _, i := range vms {
		p.add(i)
	}
	listed := map[string][]vm.Info{} // by group: who may read some groups only finds what is there
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
			p.add(listed[group][n]) // one that is gone needs no key
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

// atHand are the private halves that may let in.
func (p *Plan) atHand() []string {
	var paths []string
	for _, path := range append([]string{p.New.Path, p.state.OldPath, p.state.Backup, p.Default}, p.earlier...) {
		if path != "" && !strings.HasSuffix(path, ".pub") && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// look signs in to the VMs and finds out what is to be done on each.
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

// azureTakes is how long Azure's agent may take besides.
const azureTakes = 5 * time.Minute

// limitOf is limit for one VM.
func (p *Plan) limitOf(ctx context.Context, t *Target) (context.Context, context.CancelFunc) {
	d := cmp.Or(p.options.Timeout, DefaultTimeout)
	if t.Action == AskAzure {
		d += azureTakes
	}
	return within(ctx, d)
}

// late says of a failure that it came because the VM's time was up, whichever clock noticed first.
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

// forgetGenerated removes a key pair that was made for the rotation.
func (p *Plan) forgetGenerated() error {
	if !p.state.Generated {
		return nil
	}
	return os.RemoveAll(filepath.Dir(p.state.NewPath))
}
