package clone

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// mark is the snapshots' tag value: everything another machine needs to resume the request.
func (p Plan) mark() string {
	with := map[string]string{"name": p.request.Name, "replicas": strconv.Itoa(p.request.Replicas)}
	if user := p.request.SSH.User; user != "" {
		with["user"] = user
	}
	return change.Mark{Kind: change.Clone, ID: p.key, Step: change.StepSnapshot, With: with}.String()
}

// Handler finds, resumes and abandons unfinished clones. from returns the address to admit for clones with public addresses.
func (c *Cloner) Handler(from func(context.Context) (netip.Prefix, error)) change.Handler {
	return change.Handler{
		Kinds:   []change.Kind{change.Clone},
		Find:    func(all []change.Resource) []change.Unfinished { return provision.Unfinished(all, change.Clone) },
		Abandon: c.Provisioner.Undo,
		Resume: func(ctx context.Context, u change.Unfinished) (change.Plan, error) {
			r, err := c.requestOf(ctx, u)
			if err != nil {
				return change.Plan{}, err
			}
			if r.Source.PublicIP != "" {
				source, err := from(ctx)
				if err != nil {
					return change.Plan{}, err
				}
				r.SSHSources = []netip.Prefix{source}
			}
			p, err := c.Plan(ctx, r)
			return change.Plan{
				Steps: p.steps(), Notes: p.Notes,
				Run: func(ctx context.Context, report func(string)) (any, error) { return c.Run(ctx, p, report) },
			}, err
		},
	}
}

// requestOf reads the request from the tags.
func (c *Cloner) requestOf(ctx context.Context, u change.Unfinished) (Request, error) {
	if u.Source == "" {
		return Request{}, errkind.New(errkind.Conflict, "which VM it clones is not known: it can be abandoned only")
	}
	source, err := c.VMs.Get(ctx, vm.Ref{Name: u.Source, ResourceGroup: u.ResourceGroup})
	if err != nil {
		return Request{}, err
	}
	r := Request{Source: source, SSH: reach.Options{User: cmp.Or(u.With["user"], source.AdminUsername), KeyPath: c.Reach.DefaultKey}}
	mine := func(name string) bool { return change.CopyID(change.Clone, change.KeyOf(source.VMID, name)) == u.ID }
	if r.Name = u.With["name"]; r.Name != "" && mine(r.Name) {
		r.Replicas, err = strconv.Atoi(u.With["replicas"])
		return r, err
	}
	// Without snapshots, or with those of an older azlin, the key shows whether a name was in the request.
	for _, name := range u.VMs {
		if mine(name) {
			r.Name, r.Replicas = name, 1
			return r, nil
		}
		if first, number, ok := cutLast(name, "-"); ok && mine(first) {
			n, _ := strconv.Atoi(number)
			r.Name, r.Replicas = first, max(2, n, r.Replicas)
		}
	}
	if r.Replicas == 0 {
		return r, errkind.New(errkind.Conflict, "what its clones were to be called is not known, or %s is not the VM any more that it began with: it can be abandoned only", u.Source)
	}
	return r, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// steps lists what Run will do.
func (p Plan) steps() []string {
	var steps []string
	if missing := len(p.Disks) - len(p.left); missing > 0 && len(p.Done) < len(p.Names) {
		steps = append(steps, fmt.Sprintf("copy %d of the %d disks of %s", missing, len(p.Disks), p.Source.Name))
	}
	for _, name := range p.Names {
		if !slices.ContainsFunc(p.Done, func(done string) bool { return strings.EqualFold(done, name) }) {
			steps = append(steps, "make "+name+", and sign in to it")
		}
	}
	return append(steps, "delete the snapshots")
}
