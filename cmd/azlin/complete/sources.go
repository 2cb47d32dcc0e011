package complete

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/launch/template"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/local/names"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote/tunnel"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/vm"
)

// everyVM are the VMs of the subscription, azlin's and others.
func everyVM(t typing) []names.Name {
	all := known(app.VMNames, func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		if _, err := s.VMs.List(ctx, vm.ListOptions{All: true}); err != nil {
			return nil, err
		}
		all, _ := s.Names.Read(app.VMNames) // the listing was remembered
		return all, nil
	})(t)
	group := t.Flags.Group
	all = slices.DeleteFunc(slices.Clone(all), func(n names.Name) bool { return group != "" && !strings.EqualFold(n.Group, group) })
	for n := range all {
		all[n].About += ", " + all[n].Group
	}
	return all
}

// vms are azlin's VMs.
func vms(t typing) []names.Name {
	return slices.DeleteFunc(everyVM(t), func(n names.Name) bool { return n.Foreign })
}

// foreignVMs are those that 'azlin adopt' is for.
func foreignVMs(t typing) []names.Name {
	return slices.DeleteFunc(everyVM(t), func(n names.Name) bool { return !n.Foreign })
}

// vmsAndSessions are VMs, and behind a colon the tmux sessions of one.
func vmsAndSessions(t typing) []names.Name {
	name, _, colon := strings.Cut(t.word, ":")
	if !colon {
		return vms(t)
	}
	sessions := known(app.SessionNames(name), func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		match, err := s.Find(ctx, name)
		if err != nil {
			return nil, err
		}
		board := s.Statuses
		board.Prices = nil // nobody asked for them
		states := board.Of(ctx, []vm.Info{match.VM}, status.Options{Timeout: patience, SSH: reach.Options{KeyPath: t.KeyPath("")}})
		if err := states[0].Err; err != nil {
			return nil, err
		}
		s.KeepSessions(states)
		all, _ := s.Names.Read(app.SessionNames(name))
		return all, nil
	})(t)
	sessions = slices.Clone(sessions)
	for n := range sessions {
		sessions[n].Name = name + ":" + sessions[n].Name
	}
	return sessions
}

// aliases are the words of one's own for commands.
func aliases(t typing) []names.Name {
	c, err := t.ConfigFile().Load()
	if err != nil {
		return nil
	}
	var found []names.Name
	for _, name := range slices.Sorted(maps.Keys(c.Aliases)) {
		found = append(found, names.Name{Name: name, About: c.Aliases[name]})
	}
	return found
}

func contexts(t typing) []names.Name {
	all, err := config.LoadContexts(t.Paths.Contexts)
	if err != nil {
		return nil
	}
	var found []names.Name
	for _, c := range all.List() {
		about := []string{cmp.Or(c.Cloud, config.Clouds()[0])}
		for _, fact := range []string{c.SubscriptionID, c.ResourceGroup, c.Description} {
			if fact != "" {
				about = append(about, fact)
			}
		}
		found = append(found, names.Name{Name: c.Name, About: strings.Join(about, ", ")})
	}
	return found
}

// groups are the resource groups, or those that are known to hold VMs.
func groups(t typing) []names.Name {
	all := known("groups", func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		all, err := resourcegroup.New(s.Azure).List(ctx)
		found := make([]names.Name, len(all))
		for n, g := range all {
			found[n] = names.Name{Name: g.Name, About: g.Location}
		}
		return found, err
	})(t)
	if all != nil {
		return all
	}
	settings, err := t.Resolution()
	if err != nil {
		return nil
	}
	hold, _ := t.Names(settings).Read(app.VMNames)
	for _, v := range hold {
		if !slices.ContainsFunc(all, func(n names.Name) bool { return strings.EqualFold(n.Name, v.Group) }) {
			all = append(all, names.Name{Name: v.Group})
		}
	}
	return all
}

func regions(t typing) []names.Name {
	return known("regions", func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		all, err := s.Catalog.Regions(ctx)
		found := make([]names.Name, len(all))
		for n, r := range all {
			found[n] = names.Name{Name: r.Name, About: r.Label}
		}
		return found, err
	})(t)
}

// region is the one that the command line is about.
func region(t typing) string {
	if f := t.cmd.Flags().Lookup("region"); f != nil && f.Value.String() != "" {
		return f.Value.String()
	}
	settings, err := t.Resolution()
	if err != nil {
		return config.DefaultRegion
	}
	return settings.Region.Text()
}

func sizes(t typing) []names.Name {
	at := region(t)
	return known("sizes-"+at, func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		all, err := s.Catalog.Sizes(ctx, at)
		found := make([]names.Name, 0, len(all))
		for _, z := range all {
			if z.Restriction == "" {
				found = append(found, names.Name{Name: z.Name, About: fmt.Sprintf("%d vCPU, %g GiB", z.VCPUs, z.MemoryGiB)})
			}
		}
		return found, err
	})(t)
}

// bakedImages are those that azlin baked.
func bakedImages(t typing) []names.Name {
	return known("images", func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		all, err := s.Baker.List(ctx, "")
		found := []names.Name{}
		for _, i := range all { // of a name the newest version comes first
			if !slices.ContainsFunc(found, func(n names.Name) bool { return n.Name == i.Name }) {
				found = append(found, names.Name{Name: i.Name, About: i.Version + ", " + i.Region, Group: i.ResourceGroup})
			}
		}
		return found, err
	})(t)
}

// images are all that a VM can be created from.
func images(t typing) []names.Name {
	at := region(t)
	marketplace := known("marketplace-"+at, func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		all, err := s.Catalog.UbuntuImages(ctx, at)
		found := make([]names.Name, len(all))
		for n, i := range all {
			found[n] = names.Name{Name: i.Name + ":latest", About: i.Architecture}
		}
		return found, err
	})
	return slices.Concat(bakedImages(t), marketplace(t))
}

func vnets(t typing) []names.Name {
	return known("vnets", func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		all, err := azure.Pages(ctx, "list virtual networks", s.Azure.VNets().NewListAllPager(nil),
			func(p armnetwork.VirtualNetworksClientListAllResponse) []*armnetwork.VirtualNetwork { return p.Value })
		found := make([]names.Name, len(all))
		for n, v := range all {
			found[n] = names.Name{Name: azure.Value(v.Name), About: azure.Value(v.Location)}
		}
		return found, err
	})(t)
}

func bastions(t typing) []names.Name {
	return known("bastions", func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		all, err := s.Bastions.List(ctx, "")
		found := make([]names.Name, len(all))
		for n, b := range all {
			found[n] = names.Name{Name: b.Name, About: b.SKU + ", " + b.Location, Group: b.ResourceGroup}
		}
		return found, err
	})(t)
}

func operations(t typing) []names.Name {
	return known("operations", func(ctx context.Context, s *app.Session) ([]names.Name, error) {
		all, err := s.Operations.List(ctx, "")
		found := make([]names.Name, len(all))
		for n, u := range all {
			found[n] = names.Name{Name: u.ID, About: strings.TrimSpace(string(u.Kind) + " " + u.VM), Group: u.ResourceGroup}
		}
		return found, err
	})(t)
}

func templates(t typing) []names.Name {
	store := template.Store{Dir: t.Paths.Templates}
	all, err := store.List()
	if err != nil {
		return nil
	}
	found := make([]names.Name, len(all))
	for n, name := range all {
		found[n].Name = name
		if c, err := store.Load(name); err == nil {
			found[n].About = cmp.Or(c.Description, c.VMSize)
		}
	}
	return found
}

func tunnels(t typing) []names.Name {
	l, err := tunnel.Store{Dir: filepath.Join(t.Paths.Dir, "forwards")}.List()
	if err != nil {
		return nil
	}
	found := make([]names.Name, len(l.Tunnels))
	for n, r := range l.Tunnels {
		found[n] = names.Name{Name: r.Name, About: string(r.Phase) + ", " + r.VM}
	}
	return found
}

func keyBackups(t typing) []names.Name {
	all, _ := keys.Backups{Dir: filepath.Join(t.Paths.Dir, "keys")}.List() // those that can be read
	found := make([]names.Name, len(all))
	for n, b := range all {
		found[n] = names.Name{Name: b.Name(), About: b.Fingerprint}
	}
	return found
}

func faults(t typing) []names.Name {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	all, err := emulator.Faults(ctx, t.Paths.Emulator)
	if err != nil {
		return nil
	}
	found := make([]names.Name, len(all))
	for n, r := range all {
		found[n] = names.Name{Name: r.ID, About: string(r.Effect)}
	}
	return found
}

// commands are the commands that need something of Azure.
func commands(t typing) []names.Name {
	var found []names.Name
	for _, c := range t.cmd.Root().Commands() {
		if c.IsAvailableCommand() {
			found = append(found, names.Name{Name: c.Name(), About: c.Short})
		}
	}
	return found
}

// selectors begin the terms of --select.
func selectors(t typing) []names.Name {
	found := fixed("state:running", "state:stopped", "state:deallocated", "idle\tnot used for as long as 'azlin prune' waits", "owner:me",
		"tag:\tNAME or NAME=VALUE", "pool:", "group:", "size:", "region:")(t)
	if group, ok := strings.CutPrefix(t.word, "group:"); ok {
		return under("group:", group, groups, t)
	}
	if at, ok := strings.CutPrefix(t.word, "region:"); ok {
		return under("region:", at, regions, t)
	}
	return found
}

func under(prefix, word string, from source, t typing) []names.Name {
	t.word = word
	found := slices.Clone(from(t))
	for n := range found {
		found[n].Name = prefix + found[n].Name
	}
	return found
}
