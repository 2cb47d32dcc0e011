package bastion

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
)

// stepCreate is the only step in the marks of a Bastion and its address: whether the Bastion exists, and its state, show how
// far it came.
const stepCreate = "create"

// operation is the id of a Bastion's creation.
func operation(group, name string) string { return "bastion-" + change.KeyOf(group, name) }

// mark is the tag value of the Bastion and its address: everything another machine needs to resume.
func (p CreatePlan) mark(vnet string) string {
	with := map[string]string{"name": p.Name, "vnet": vnet, "sku": p.SKU, "ip-connect": strconv.FormatBool(p.IPConnect)}
	if p.NewSubnet.IsValid() {
		with["subnet"] = p.NewSubnet.String()
	}
	return change.Mark{Kind: change.Bastion, ID: operation(p.ResourceGroup, p.Name), Step: stepCreate, With: with}.String()
}

// Handler finds, resumes and abandons unfinished creations and deletions of Bastions. owner goes into the tag azlin-owner.
func (s *Service) Handler(owner string) change.Handler {
	return change.Handler{
		Kinds: []change.Kind{change.Bastion},
		Find:  find,
		Resume: func(ctx context.Context, u change.Unfinished) (change.Plan, error) {
			b, err := s.Get(ctx, u.ResourceGroup, u.With["name"])
			if err != nil && !azure.IsNotFound(err) {
				return change.Plan{}, err
			}
			if err == nil && busy(b.State) {
				return change.Plan{
					Steps: []string{"wait until Azure has finished with bastion " + b.Name + ", which is " + b.State},
					Run: func(ctx context.Context, report func(string)) (any, error) {
						return s.settled(ctx, b, report)
					},
				}, nil
			}
			connect, _ := strconv.ParseBool(u.With["ip-connect"]) // false when absent
			prefix, _ := netip.ParsePrefix(u.With["subnet"])      // zero: the subnet existed
			p, err := s.PlanCreate(ctx, CreateOptions{
				VNet: azure.NewID(s.azure.SubscriptionID(), u.ResourceGroup, "Microsoft.Network", "virtualNetworks", u.With["vnet"]).String(),
				Name: u.With["name"], SKU: u.With["sku"], SubnetPrefix: prefix, IPConnect: connect, Owner: owner,
			})
			return change.Plan{
				Steps: p.steps(),
				Run:   func(ctx context.Context, report func(string)) (any, error) { return s.Create(ctx, p, report) },
			}, err
		},
		Abandon: func(ctx context.Context, u change.Unfinished) (change.Plan, error) {
			p, err := s.PlanDelete(ctx, u.ResourceGroup, u.With["name"])
			steps := make([]string, len(p.Items))
			for n, item := range p.Items {
				steps[n] = "delete " + item.Type + " " + item.Name
			}
			return change.Plan{
				Steps: steps,
				Run:   func(ctx context.Context, report func(string)) (any, error) { return nil, s.Delete(ctx, p, report) },
			}, err
		},
	}
}

// find finds Bastions that are absent or not ready although a tag records their creation.
func find(all []change.Resource) []change.Unfinished {
	var found []change.Unfinished
	index := map[string]int{}
	ready := map[string]bool{}
	for _, r := range all {
		m, ok := r.Mark()
		if !ok || m.Kind != change.Bastion || m.With["name"] == "" {
			continue
		}
		n, seen := index[m.ID]
		if !seen {
			n = len(found)
			index[m.ID] = n
			found = append(found, change.Unfinished{ID: m.ID, Kind: change.Bastion, Step: "address of " + m.With["name"]})
		}
		found[n].Add(r)
		if r.ID.IsType("Microsoft.Network/bastionHosts") {
			found[n].Step = m.With["name"] + ": " + r.State
			ready[m.ID] = r.State == "" || strings.EqualFold(r.State, "Succeeded")
		}
	}
	unfinished := found[:0]
	for _, u := range found {
		if !ready[u.ID] {
			unfinished = append(unfinished, u)
		}
	}
	return unfinished
}

// busy reports whether Azure is still working on a Bastion in this state.
func busy(state string) bool {
	return strings.EqualFold(state, "Creating") || strings.EqualFold(state, "Updating") || strings.EqualFold(state, "Deleting")
}

// lookAgain is the interval between state requests.
const lookAgain = 10 * time.Second

// settled waits until Azure has finished with a Bastion.
func (s *Service) settled(ctx context.Context, b Bastion, report func(string)) (Bastion, error) {
	for busy(b.State) {
		report(b.Name + " is " + b.State)
		select {
		case <-ctx.Done():
			return b, context.Cause(ctx)
		case <-time.After(lookAgain):
		}
		var err error
		if b, err = s.Get(ctx, b.ResourceGroup, b.Name); err != nil {
			return b, err
		}
	}
	if !strings.EqualFold(b.State, "Succeeded") {
		return b, errkind.New(errkind.Provisioning, "bastion %s: Azure could not create it (%s): resume again to create it anew, or abandon it", b.Name, b.State)
	}
	return b, nil
}

// steps lists what Create will do.
func (p CreatePlan) steps() []string {
	var steps []string
	if p.NewPublicIP {
		steps = append(steps, "create public address "+addressName(p.Name))
	}
	if p.NewSubnet.IsValid() {
		steps = append(steps, "create subnet "+SubnetName)
	}
	return append(steps, "create bastion "+p.Name)
}
