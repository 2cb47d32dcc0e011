// Package keys changes the SSH keys that sign in to VMs, and keeps copies of former keys.
// A rotation adds the new key on every VM, signs in with it, makes it this machine's default key, and only then removes the
// old key from each VM. At every moment an available key opens each VM. A rotation may be interrupted anywhere: the next one
// resumes it.
package keys

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Rotator rotates the keys of one subscription's VMs. It is safe for concurrent use; rotations wait for each other.
type Rotator struct {
	VMs        *vm.Service
	Reach      reach.Finder
	Operations change.Store // for resuming an interrupted rotation
	Backups    Backups
	DefaultKey string // private half of the key azlin signs in with; empty: none

	Subscription string
}

// Options of a rotation. The zero value replaces the default key and keeps a copy of it.
type Options struct {
	OldKey   string // either half of the key to replace; empty: the default key
	NoBackup bool   // delete the old key's backup once no VM needs it

	SSH      reach.Options // how to reach the VMs; KeyPath is for List only
	ViaAzure bool          // if no available key can sign in, Azure's agent on the VM adds the new one
	Timeout  time.Duration // per VM, for adding and again for removing; zero: a minute

	Report func(Step) // called before and after each step, from several goroutines; nil: nobody
}

// DefaultTimeout is the time per VM to add the key, and again to remove one.
const DefaultTimeout = time.Minute

// Step is one step of a rotation.
type Step struct {
	VM   vm.Ref // zero: on this machine
	Name string // "add key", "switch default key"
	Done bool   // it has ended; Err is its result
	Err  error
}

// KeyRotationResult is the result of a rotation on one VM.
type KeyRotationResult struct {
	vm.Ref

	Success        bool   `json:"success"` // the new key can sign in, and the old one cannot
	OldKeyBackedUp bool   `json:"old_key_backed_up"`
	BackupPath     string `json:"backup_path,omitempty"` // private half of the copy
	ErrorMessage   string `json:"error_message,omitempty"`

	Added   bool  `json:"new_key_added"`   // the new key can sign in
	Removed bool  `json:"old_key_removed"` // the VM had the old key and no longer has it
	Err     error `json:"-"`
}

// RotateKey replaces the key of one VM. newKey is either half of the new key; empty generates one. The error is also in the
// result.
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

// RotateKeysBatch replaces the key of several VMs in parallel. The results are in the order of vms, followed by those left
// by an interrupted rotation. A VM that fails does not stop the others; the error is then of class ErrVMs, and Partial if
// others succeeded. Any other error means that the rotation could not start or could not continue.
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

// connect signs in with any available key that the VM accepts.
func (p *Plan) connect(ctx context.Context, h remote.Host) (*remote.Client, error) {
	h.KeyPath, h.EarlierKeys = "", p.atHand()
	return remote.Dial(ctx, h)
}
