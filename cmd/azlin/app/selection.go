package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/upkeep/prune"
	"github.com/azlin-dev/azlin/vm"
)

// Selecting is what a command line says about which VMs are meant, besides their names. See 'azlin help selection'.
type Selecting struct {
	Selectors []string // --select
	All       bool     // --all
}

// Add adds --select to a command, and --all with this help; empty: the command has none, or its own.
func (f *Selecting) Add(cmd *cobra.Command, all string) {
	cmd.Flags().StringArrayVar(&f.Selectors, "select", nil, "select VMs, for example 'web-*' or tag:env=dev,state:running; repeat for either (see 'azlin help selection')")
	if all != "" {
		cmd.Flags().BoolVar(&f.All, "all", false, all)
	}
}

// Empty is whether nothing is selected by flags.
func (f Selecting) Empty() bool { return len(f.Selectors) == 0 && !f.All }

// Check wants names or a selection, and no names beside --all.
func (f Selecting) Check(cmd *cobra.Command, names []string) error {
	switch {
	case f.All && len(names) > 0:
		return Usage(cmd, "--all selects every VM, and %s is named", names[0])
	case f.Empty() && len(names) == 0:
		if cmd.Flags().Lookup("all") != nil {
			return Usage(cmd, "missing argument: VM, --select or --all")
		}
		return Usage(cmd, "missing argument: VM or --select")
	}
	_, err := f.parse()
	return err
}

// FirstName parts arguments of which the first one is a VM, unless VMs are selected by flags.
func FirstName(f Selecting, args []string) (names, rest []string) {
	if !f.Empty() || len(args) == 0 {
		return nil, args
	}
	return args[:1], args[1:]
}

func (f Selecting) parse() ([]vm.Selector, error) {
	var all []vm.Selector
	for _, text := range f.Selectors {
		s, err := vm.ParseSelector(text)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Choose finds the VMs that names and flags mean, with one listing. change may set what is the command's own.
func (s *Session) Choose(ctx context.Context, names []string, f Selecting, change ...func(*vm.Query)) (vm.Selection, error) {
	selectors, err := f.parse()
	if err != nil {
		return vm.Selection{}, err
	}
	q := vm.Query{
		Names: names, Selectors: selectors, All: f.All, Group: s.Azure.Target().ResourceGroup, Owner: s.User, Idle: s.idle,
	}
	for _, c := range change {
		c(&q)
	}
	return s.VMs.Select(ctx, q)
}

// Find finds the one VM that a name means: see vm.Query. A pattern that means several is a conflict.
func (s *Session) Find(ctx context.Context, name string) (vm.Match, error) {
	sel, err := s.Choose(ctx, []string{name}, Selecting{})
	if err != nil {
		return vm.Match{}, err
	}
	if len(sel.Matches) != 1 {
		return vm.Match{}, errkind.New(errkind.Conflict, "%q means %d VMs (%s); this command works on one", name, len(sel.Matches), strings.Join(namesOf(sel), ", "))
	}
	return sel.Matches[0], nil
}

func namesOf(sel vm.Selection) []string {
	var names []string
	for _, m := range sel.Matches {
		names = append(names, m.VM.Name)
	}
	slices.Sort(names)
	return names
}

// SayLeft says which VMs were left out, and why.
func (a *App) SayLeft(sel vm.Selection) {
	for _, l := range sel.Left {
		a.Say(fmt.Sprintf("note: %s is left out: %s", l.VM.Name, l.Reason))
	}
}

// idleIn says which VMs nobody has used for as long as 'azlin prune' waits by default.
func idleIn(s *Session, key string) func(context.Context, []vm.Info) (map[string]bool, error) {
	return func(ctx context.Context, candidates []vm.Info) (map[string]bool, error) {
		found := map[string]bool{}
		for _, v := range s.Pruner.Judge(ctx, candidates, prune.Options{Options: status.Options{SSH: reach.Options{KeyPath: key}}}) {
			found[v.Info.ID] = v.Verdict == prune.Idle
		}
		return found, context.Cause(ctx)
	}
}
