package app

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/local/names"
	"github.com/azlin-dev/azlin/vm"
)

// VMNames is the kind of VMs' names in the cache of names.
const VMNames = "vms"

// Names is the cache of what things are called in the subscription that settings lead to.
func (a *App) Names(settings config.Resolution) names.Cache {
	cloud, subscription := settings.Cloud.Text(), settings.SubscriptionID.Text()
	c := names.Cache{Dir: a.Paths.Cache, Scope: cloud + "-" + subscription}
	if subscription != "" || strings.EqualFold(cloud, config.EmulatorContext) || a.Paths.AzureDir == "" {
		return c
	}
	// The subscription is the Azure CLI's current one, which changes with this file.
	if info, err := os.Stat(filepath.Join(a.Paths.AzureDir, "azureProfile.json")); err == nil {
		c.Since = info.ModTime()
	}
	return c
}

// DoubtNames has the names of the context be asked for again.
func (a *App) DoubtNames() {
	if settings, err := a.Resolution(); err == nil { // else it has no names
		a.Names(settings).Doubt()
	}
}

func namesOfVMs(all []vm.Info) []names.Name {
	found := make([]names.Name, len(all))
	for n, i := range all {
		about := []string{i.StatusDisplay()}
		for _, fact := range []string{i.VMSize, i.Location} {
			if fact != "" {
				about = append(about, fact)
			}
		}
		found[n] = names.Name{Name: i.Name, About: strings.Join(about, ", "), Group: i.ResourceGroup, Foreign: !i.Managed}
	}
	slices.SortFunc(found, func(a, b names.Name) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Group, b.Group)) })
	return found
}

// SessionNames is the kind of the names of a VM's tmux sessions.
func SessionNames(vm string) string { return "sessions-" + vm }

// KeepSessions remembers the tmux sessions of VMs that were asked for them.
func (s *Session) KeepSessions(vms []status.VM) {
	for _, v := range vms {
		if v.TmuxSessions == nil {
			continue
		}
		found := []names.Name{}
		for _, t := range v.TmuxSessions {
			about := CountOf(t.NumWindows, "window")
			if t.IsConnected {
				about += ", attached"
			}
			found = append(found, names.Name{Name: t.Name, About: about})
		}
		s.Names.Keep(SessionNames(v.Name), found, true)
	}
}

// SawSession remembers one tmux session.
func (s *Session) SawSession(vmName, session string) {
	all, fresh := s.Names.Read(SessionNames(vmName))
	if session == "" || slices.ContainsFunc(all, func(n names.Name) bool { return n.Name == session }) {
		return
	}
	s.Names.Keep(SessionNames(vmName), append(all, names.Name{Name: session}), fresh || all == nil)
}
