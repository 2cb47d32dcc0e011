// Package keys changes the SSH keys that let people into VMs, and keeps copies of those that were in use.
//
// A rotation adds the new key on every VM, signs in with it, makes it this machine's default key, and only then takes
// the old one from each VM, so that at every moment a key is at hand that opens each of them. It may be cut off
// anywhere: the next one goes on.
package keys

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Rotator rotates the keys of one subscription's VMs. It may be used by several goroutines; rotations wait for one
// another.
type Rotator struct {
	VMs        *vm.Service
	Reach      reach.Finder
	Operations change.Store // what makes a rotation that was cut off go on
	Backups    Backups
	DefaultKey string // private half of the key that azlin signs in with; empty: there is none

	Subscription string
}

// Options of a rotation. The zero value replaces the default key and keeps a copy of it.
type Options struct {
	OldKey   string // either half of the key that is replaced; empty: the default key
	NoBackup bool   // delete the old key's backup once no VM needs it

	SSH      reach.Options // how to reach the VMs; KeyPath is for List only
	ViaAzure bool          // where no key at hand lets anybody in, Azure's agent on the VM adds the new one
	Timeout  time.Duration // for each VM, for adding and for removing; zero: a minute

	Report func(Step) // told before and after each step, from several goroutines; nil: nobody
}

// DefaultTimeout is timeout for each VM of a rotation, twice.
const DefaultTimeout = time.Minute

// Step is one step of a rotation.
type Step struct {
	VM   vm.Ref // zero: on this machine
	Name string // "add key", "switch default key"
	Done bool   // it has been taken; Err says how
	Err  error
}

// KeyRotationResult is what a rotation made of one VM.
type KeyRotationResult struct {
	vm.Ref

	Success        bool   `json:"success"` // the new key lets in, and the old one does not
	OldKeyBackedUp bool   `json:"old_key_backed_up"`
	BackupPath     string `json:"backup_path,omitempty"` // private half of the copy
	ErrorMessage   string `json:"error_message,omitempty"`

	Added   bool  `json:"new_key_added"`   // the new key lets in
	Removed bool  `json:"old_key_removed"` // the VM had the old key, and has it no longer
	Err     error `json:"-"`
}

// RotateKey replaces the key of one VM by the one of which newKey is either half; empty makes a new one. The error is
// also in the result.
func (r *Rotator) RotateKey(ctx context.Context, ref vm.Ref, newKey string, o Options) (KeyRotationResult, error) {
	i, err := r.VMs.Get(ctx, ref)
	if err != nil {
		return KeyRotationResult{Ref: ref, Err: err, ErrorMessage: err.Error()}, err
	}
	results, err := r.RotateKeysBatch(ctx, []vm.Info{i}, newKey, o)
	for _, result := range results {
		if result.Ref == i.Ref {
			return result, result.Err
		}
	}
	return KeyRotationResult{Ref: i.Ref, Err: err, ErrorMessage: text(err)}, err
}

// RotateKeysBatch replaces the key of several VMs, at once. The results are in the order of vms; after them come those
// that a rotation which was cut off still had to do. A VM that fails is a result and stops no other one; the error is then of
// class ErrVMs, and Partial when others did well. Any other error kept the rotation from beginning, or from going on for all.
func (r *Rotator) RotateKeysBatch(ctx context.Context, vms []vm.Info, newKey string, o Options) ([]KeyRotationResult, error) {
	plan, err := r.Plan(ctx, vms, newKey, o)
	if err != nil {
		return nil, err
	}
	return r.Run(ctx, plan)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// connect signs in with whichever of the keys at hand the VM accepts.
func (p *Plan) connect(ctx context.Context, h remote.Host) (*remote.Client, error) {
	h.KeyPath, h.EarlierKeys = "", p.atHand()
	return remote.Dial(ctx, h)
}
