package keys

import (
	"context"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// VMKeyInfo lists who can sign in to a VM.
type VMKeyInfo struct {
	vm.Ref

	User         string // the owner of the authorized_keys file
	Fingerprints []string

	Keys []AuthorizedKey // with the same fingerprints; nil: unknown
	Err  error           // why the VM could not be read
}

// AuthorizedKey is a key that can sign in.
type AuthorizedKey struct {
	Fingerprint string `json:"fingerprint"`
	Type        string `json:"type"`
	Comment     string `json:"comment,omitempty"`
	Role        Role   `json:"role,omitempty"`
}

// Role is this machine's use of a key.
type Role string

// The roles of keys. Empty: somebody else's key, or one that azlin does not use.
const (
	Default Role = "default"
	Earlier Role = "earlier" // the default key replaced it
)

// List reads which keys can sign in to VMs: one SSH connection each, several in parallel. If a VM could not be read, Err is
// set.
func (r *Rotator) List(ctx context.Context, vms []vm.Info, o Options) []VMKeyInfo {
	p := &Plan{options: o, Default: r.DefaultKey, earlier: r.earlierPaths()}
	roles := r.roles()
	all := make([]VMKeyInfo, len(vms))
	batch.Each(ctx, len(vms), atOnce, func(n int) {
		ctx, cancel := p.limit(ctx)
		defer cancel()
		i := vms[n]
		all[n] = VMKeyInfo{Ref: i.Ref}
		all[n].Err = late(ctx, i.Name, p.ask(ctx, r, i, roles, &all[n]))
	})
	return all
}

// roles maps fingerprints of this machine's keys to their roles.
func (r *Rotator) roles() map[string]Role {
	roles := map[string]Role{}
	copies, _ := r.Backups.List() // a damaged copy has no role
	for _, k := range copies {
		roles[k.Fingerprint] = Earlier
	}
	if k, err := Public(r.DefaultKey); err == nil {
		roles[k.Fingerprint] = Default
	}
	return roles
}

func (p *Plan) ask(ctx context.Context, r *Rotator, i vm.Info, roles map[string]Role, into *VMKeyInfo) error {
	h, err := r.Reach.Host(ctx, i, reach.Options{
		User: p.options.SSH.User, KeyPath: p.options.SSH.KeyPath, Bastion: p.options.SSH.Bastion, AcceptNewHostKey: p.options.SSH.AcceptNewHostKey,
	})
	into.User = h.User
	if err != nil {
		return err
	}
	if h.KeyPath == "" {
		h.EarlierKeys = p.atHand()
	}
	c, err := remote.Dial(ctx, h)
	if err != nil {
		return err
	}
	defer c.Close()
	content, _, err := readAuthorized(ctx, c)
	if err != nil {
		return &errkind.Error{Kind: errkind.Of(err), Op: "list keys of", Resource: i.Name, Class: ErrRotation, Err: err}
	}
	into.Keys = []AuthorizedKey{}
	for _, e := range parseAuthorized(content) {
		if e.key == nil || e.ca {
			continue
		}
		key, err := ssh.ParsePublicKey(e.key)
		if err != nil {
			continue // already parsed without error
		}
		k := AuthorizedKey{Fingerprint: ssh.FingerprintSHA256(key), Type: key.Type(), Comment: e.comment}
		k.Role = roles[k.Fingerprint]
		into.Keys = append(into.Keys, k)
		into.Fingerprints = append(into.Fingerprints, k.Fingerprint)
	}
	return nil
}
