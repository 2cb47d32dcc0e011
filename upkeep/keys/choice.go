package keys

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// Unfinished returns the unfinished rotation; nil: there is none.
func (r *Rotator) Unfinished() (*change.Operation, error) {
	return r.Operations.Find(func(o *change.Operation) bool {
		return o.Kind == change.RotateKeys && strings.EqualFold(o.Subscription, r.Subscription)
	})
}

// goOn resumes a rotation.
func (r *Rotator) goOn(ctx context.Context, p *Plan, op *change.Operation, newKey string) (err error) {
	damaged := func(err error) error {
		return &errkind.Error{
			Kind: errkind.Invalid, Op: "resume key rotation", Resource: op.ID, Class: ErrRotation, Err: err,
			Next: errkind.Step{Action: errkind.ForgetOperation, Name: op.ID},
		}
	}
	p.op, p.Resumes = op, true
	if err := json.Unmarshal(op.Request, &p.state); err != nil {
		return damaged(err)
	}
	if p.Old, err = keypair.Parse(p.state.OldPath, p.state.Old); err != nil {
		return damaged(fmt.Errorf("the old key: %w", err))
	}
	p.replaced = []Key{p.Old}
	for _, line := range p.state.Earlier {
		k, err := keypair.Parse("", line)
		if err != nil {
			return damaged(fmt.Errorf("an earlier key: %w", err))
		}
		p.replaced = append(p.replaced, k)
	}
	p.Switches = p.state.Switch
	p.options.SSH.User = cmp.Or(p.options.SSH.User, p.state.User)
	path := p.state.NewPath
	if p.state.Generated && p.state.Switched {
		if k, err := Public(r.DefaultKey); err == nil && strings.HasPrefix(k.Line, p.state.New) {
			path = r.DefaultKey
		}
	}
	switch k, err := Read(ctx, path, r.Reach.AgentSocket); {
	case err == nil:
		p.New = k
	case p.state.New == "" && p.state.Generated: // interrupted before the new key was complete
	default:
		return damaged(fmt.Errorf("the new key: %w", err))
	}
	if p.state.New != "" && !strings.HasPrefix(p.New.Line, p.state.New) {
		return damaged(fmt.Errorf("%s holds another key than when it began", path))
	}
	if newKey == "" {
		return nil
	}
	asked, err := Read(ctx, newKey, r.Reach.AgentSocket)
	if err == nil && !keypair.Same(asked.Public, p.New.Public) {
		err = &errkind.Error{
			Kind: errkind.Conflict, Op: "rotate keys", Class: ErrRotation,
			Err:  fmt.Errorf("operation %s, a rotation to another key (%s), is not finished", op.ID, cmp.Or(p.New.Fingerprint, "which is not made yet")),
			Next: errkind.Step{Action: errkind.RotateKeys},
		}
	}
	return err
}

// begin decides which key replaces which.
func (r *Rotator) begin(ctx context.Context, p *Plan, newKey string) (err error) {
	o := p.options
	oldPath := o.OldKey
	if oldPath == "" {
		oldPath = r.DefaultKey
		if newKey != "" && strings.TrimSuffix(newKey, ".pub") == r.DefaultKey && len(r.Reach.EarlierKeys) > 0 {
			oldPath = r.Reach.EarlierKeys[0].Path // VMs that still have the previous key
		}
	}
	if oldPath == "" {
		return keyError("rotate keys", "", errkind.New(errkind.Invalid, "there is no default key: say which one is to be replaced"))
	}
	if p.Old, err = Read(ctx, oldPath, r.Reach.AgentSocket); err != nil && (!o.ViaAzure || p.Old.Public == nil) {
		return err // with Azure's help, nobody needs to sign in with it
	}
	usual, _ := Public(r.DefaultKey) // it may not exist
	isDefault := keypair.Same(p.Old.Public, usual.Public)
	if newKey == "" && !isDefault && usual.Public != nil {
		newKey = r.DefaultKey
	}
	p.state = state{
		Old: keyOnly(p.Old), OldPath: p.Old.Path, Switch: isDefault, NoBackup: o.NoBackup, User: o.SSH.User, NewPath: newKey,
	}
	p.Switches = isDefault
	p.replaced = []Key{p.Old}
	if isDefault && r.Backups.Dir == "" {
		return keyError("rotate keys", "", errkind.New(errkind.Prerequisite, "there is no directory for a copy of the default key"))
	}
	p.op = change.Make(change.RotateKeys, r.Subscription, "", "", time.Now())
	if newKey == "" {
		r.replaceEarlier(p, isDefault)
		if r.Backups.Dir == "" {
			return keyError("rotate keys", "", errkind.New(errkind.Prerequisite, "there is no directory for a new key: say which one is to come"))
		}
		p.state.Generated = true
		p.state.NewPath = filepath.Join(r.Backups.Dir, "new-"+p.op.ID, generatedFile)
		return nil
	}
	if p.New, err = Read(ctx, newKey, r.Reach.AgentSocket); err != nil {
		return err
	}
	r.replaceEarlier(p, isDefault || keypair.Same(p.New.Public, usual.Public))
	p.state.New = keyOnly(p.New)
	p.state.NewPath, err = filepath.Abs(newKey)
	switch {
	case err != nil:
	case keypair.Same(p.New.Public, p.Old.Public):
		err = keyError("rotate keys", newKey, errors.New("this is the key that is to be replaced"))
	case isDefault && strings.HasSuffix(p.New.Path, ".pub"):
		err = keyError("rotate keys", newKey, fmt.Errorf("it is to become the default key %s, which needs the private half in a file, and only the agent has it", r.DefaultKey))
	}
	return err
}

// replaceEarlier adds the earlier keys to the replaced ones, if the default key is the old or the new key.
func (r *Rotator) replaceEarlier(p *Plan, usual bool) {
	for _, path := range r.earlierPaths() {
		if k, err := Public(path); usual && err == nil && !keypair.Same(k.Public, p.New.Public) && !keypair.Same(k.Public, p.Old.Public) {
			p.replaced = append(p.replaced, k)
			p.state.Earlier = append(p.state.Earlier, keyOnly(k))
		}
	}
}

// present returns the replaced keys that a file allows.
func (p *Plan) present(content []byte) []ssh.PublicKey {
	var found []ssh.PublicKey
	for _, k := range p.replaced {
		if lets(content, k.Public) {
			found = append(found, k.Public)
		}
	}
	return found
}

// keyOnly is a public key without its comment.
func keyOnly(k Key) string {
	fields := strings.Fields(k.Line)
	return strings.Join(fields[:min(2, len(fields))], " ")
}

func (r *Rotator) earlierPaths() []string {
	paths := make([]string, len(r.Reach.EarlierKeys))
	for n, k := range r.Reach.EarlierKeys {
		paths[n] = k.Path
	}
	return paths
}
