package app

import (
	"path"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// ChooseVMs finds the VMs that selectors mean: names, sessions, VM:SESSION or addresses as everywhere, and patterns
// with * and ? for names and sessions. One that means nothing is NotFound. The order is that of the selectors, and no VM
// comes twice.
func ChooseVMs(all []vm.Info, selectors []string) ([]vm.Match, error) {
	var chosen []vm.Match
	add := func(m vm.Match) {
		if !slices.ContainsFunc(chosen, func(c vm.Match) bool {
			return c.VM.ID == m.VM.ID && (c.TmuxSession == "" || c.TmuxSession == m.TmuxSession)
		}) {
			chosen = append(chosen, m)
		}
	}
	for _, selector := range selectors {
		if _, err := path.Match(selector, ""); err != nil {
			return nil, errkind.New(errkind.Invalid, "%q is no pattern: %w", selector, err)
		}
		if !strings.ContainsAny(selector, "*?[") {
			m, err := vm.ResolveIn(all, selector)
			if err != nil {
				return nil, err
			}
			add(m)
			continue
		}
		found := false
		for _, i := range all {
			byName, _ := path.Match(strings.ToLower(selector), strings.ToLower(i.Name)) // that it is a pattern is checked
			bySession, _ := path.Match(selector, i.SessionName)
			if byName || bySession && i.SessionName != "" {
				found = true
				add(vm.Match{VM: i, By: "pattern"})
			}
		}
		if !found {
			return nil, &errkind.Error{Kind: errkind.NotFound, Op: "find VMs", Resource: selector, Err: errkind.New(errkind.NotFound, "no VM has a name or session like this")}
		}
	}
	return chosen, nil
}
