package remove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/vm"
)

type killFlags struct {
	which                          app.Selecting
	consent                        app.Consent
	dryRun, foreign, ignoreMissing bool
}

func newKillCommand(a Commands) *cobra.Command {
	var flags killFlags
	cmd := &cobra.Command{
		Use:     "kill VM...",
		Aliases: []string{"rm", "delete"},
		Short:   "Delete VMs and their resources",
		Long: `Deletes VMs, their disks, network interfaces, public addresses and security groups, and verifies the deletion.
The shared network of a region and the resource group are kept.

A VM must be named by its own name, a pattern or a selection: session names and addresses are refused. A name that no VM has
is an error, unless an unfinished 'azlin new' of that name has left something, which is deleted. Use --ignore-not-found in
scripts.`,
		Example: "  azlin kill dev\n  azlin kill dev 'web-*' --dry-run\n  azlin kill --select pool:web,state:deallocated --yes",
		Args:    func(cmd *cobra.Command, args []string) error { return flags.which.Check(cmd, args) },
		RunE:    func(cmd *cobra.Command, args []string) error { return a.kill(cmd.Context(), args, flags) },
	}
	flags.which.Add(cmd, "")
	flags.consent.Add(cmd)
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show what would be deleted and stop")
	cmd.Flags().BoolVar(&flags.foreign, "foreign", false, "include VMs that azlin did not create")
	cmd.Flags().BoolVar(&flags.ignoreMissing, "ignore-not-found", false, "ignore VMs that do not exist")
	return cmd
}

// killing is the plan of the deletion of one VM.
type killing struct {
	vm.Ref

	vmID    string
	found   vm.DeletionSummary
	missing error // no VM has the name
}

func (a Commands) kill(ctx context.Context, names []string, flags killFlags) error {
	return app.Change[[]killing]{
		Consent: flags.consent, DryRun: flags.dryRun,
		Plan: func(ctx context.Context, s *app.Session) ([]killing, error) { return planKills(ctx, s, names, flags) },
		View: func(all []killing) term.View { return deletionViews(summaries(all)) },
		Question: func(all []killing) string {
			switch doomed := found(all); len(doomed) {
			case 0:
				return ""
			case 1:
				return "Delete " + doomed[0].Name + "?"
			default:
				return fmt.Sprintf("Delete %d VMs?", len(doomed))
			}
		},
		Show: func(s *app.Session, all []killing) {
			group := ""
			for n, k := range found(all) {
				if n == 0 || !strings.EqualFold(group, k.ResourceGroup) {
					group = k.ResourceGroup
					a.sayDoomed(s, group)
				}
				for _, r := range k.found.Results {
					a.Say(fmt.Sprintf("  %-10s %s", r.ResourceType, r.ResourceName))
				}
			}
		},
		Apply: a.carryOutKills,
	}.Do(ctx, a.App)
}

// found are those of which something is there.
func found(all []killing) []killing {
	return slices.DeleteFunc(slices.Clone(all), func(k killing) bool { return k.found.TotalResources == 0 })
}

func summaries(all []killing) []vm.DeletionSummary {
	sums := make([]vm.DeletionSummary, len(all))
	for n, k := range all {
		sums[n] = k.found
	}
	return sums
}

// carryOutKills deletes VMs, several at once, and prints what came of it.
func (a Commands) carryOutKills(ctx context.Context, s *app.Session, all []killing) error {
	var names []string
	for _, k := range all {
		names = append(names, k.Name)
	}
	var results []batch.Result[vm.DeletionSummary]
	a.Stage("delete", "deleting "+strings.Join(names, ", "), func(report func(string)) string {
		results = batch.Run(ctx, all, batch.Options{}, func(ctx context.Context, k killing) (vm.DeletionSummary, error) {
			return a.killOne(ctx, s, k, report)
		})
		return app.FailedOf(len(batch.Failures(results, func(n int) string { return names[n] })), len(results))
	})
	var sums []vm.DeletionSummary
	var again, groups []string
	failed := batch.Failures(results, func(n int) string { return names[n] })
	for n, r := range results {
		if r.Value.Name != "" {
			sums = append(sums, r.Value)
		}
		if r.Err != nil {
			again, groups = append(again, all[n].Name), append(groups, all[n].ResourceGroup)
		}
	}
	if err := a.Output.Print(deletionViews(sums)); err != nil {
		return err
	}
	next := append([]string{"azlin kill"}, again...)
	if slices.Sort(groups); len(slices.Compact(groups)) == 1 {
		next = append(next, "-g", groups[0])
	}
	return batch.Err("delete", len(all), failed, app.Next(next...))
}

func (a Commands) killOne(ctx context.Context, s *app.Session, k killing, report func(string)) (vm.DeletionSummary, error) {
	sum, err := s.VMs.Delete(ctx, k.Ref, vm.DeleteOptions{Report: report})
	if err != nil {
		return sum, err
	}
	return sum, a.forgetVM(ctx, s, k.Ref, k.vmID)
}

// planKills finds what is to be deleted: VMs, and what unfinished launches of a name have left.
func planKills(ctx context.Context, s *app.Session, names []string, flags killFlags) ([]killing, error) {
	var all []killing
	take := func(names []string, which app.Selecting) error {
		sel, err := s.Choose(ctx, names, which, func(q *vm.Query) { q.Strict, q.Foreign = true, flags.foreign })
		if err != nil {
			return err
		}
		for _, i := range sel.VMs() {
			if !i.Managed && !flags.foreign {
				return &errkind.Error{
					Kind: errkind.Conflict, Op: "delete vm", Resource: i.Name, Err: errors.New("azlin did not create it; use --foreign to delete it all the same"),
				}
			}
			if !slices.ContainsFunc(all, func(k killing) bool { return k.vmID == i.VMID && k.Ref == i.Ref }) {
				all = append(all, killing{Ref: i.Ref, vmID: i.VMID})
			}
		}
		return nil
	}
	for _, name := range names {
		err := take([]string{name}, app.Selecting{})
		if errkind.Of(err) == errkind.NotFound && !vm.IsPattern(name) {
			group, gerr := s.Launcher.GroupOf(name)
			if gerr != nil {
				return nil, gerr
			}
			all = append(all, killing{
				Ref: vm.Ref{Name: name, ResourceGroup: cmp.Or(group, s.Azure.Target().ResourceGroup, config.DefaultResourceGroup)}, missing: err,
			})
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	if !flags.which.Empty() {
		if err := take(nil, flags.which); err != nil {
			return nil, err
		}
	}
	for n, r := range batch.Run(ctx, all, batch.Options{}, func(ctx context.Context, k killing) (vm.DeletionSummary, error) {
		return s.VMs.Delete(ctx, k.Ref, vm.DeleteOptions{DryRun: true})
	}) {
		if r.Err != nil {
			return nil, r.Err
		}
		all[n].found = r.Value
	}
	// A name of which nothing is there at all is wrong, and then nothing is deleted.
	if !flags.ignoreMissing {
		for _, k := range all {
			if k.missing != nil && k.found.TotalResources == 0 {
				return nil, k.missing
			}
		}
	}
	return all, nil
}

// sayDoomed heads the list of what is about to be deleted.
func (a Commands) sayDoomed(s *app.Session, group string) {
	a.Say("To be deleted:")
	a.SayTarget(s, group)
}

// deletionData is the JSON of a deletion.
type deletionData struct {
	VM               string            `json:"vm"`
	ResourceGroup    string            `json:"resource_group"`
	TotalResources   int               `json:"total_resources"`
	DeletedResources int               `json:"deleted_resources"`
	FailedResources  int               `json:"failed_resources"`
	Results          []teardown.Result `json:"results"`
	Kept             []teardown.Kept   `json:"kept,omitempty"`
	Contents         []vm.Content      `json:"contents,omitempty"`
	DryRun           bool              `json:"dry_run,omitempty"`
}

func dataOf(sum vm.DeletionSummary) deletionData {
	return deletionData{
		VM: sum.Name, ResourceGroup: sum.ResourceGroup, TotalResources: sum.TotalResources, DeletedResources: sum.DeletedResources,
		FailedResources: sum.FailedResources, Results: sum.Results, Kept: sum.Kept, Contents: sum.Contents, DryRun: sum.DryRun,
	}
}

// deletionViews shows one summary as it is, and several in one table.
func deletionViews(sums []vm.DeletionSummary) term.View {
	if len(sums) == 1 {
		return deletionView(sums[0])
	}
	var rows []teardown.Result
	var notes []string
	for _, sum := range sums {
		one := deletionView(sum)
		rows = append(rows, sum.Results...)
		if one.Note != "" && !slices.Contains(notes, one.Note) {
			notes = append(notes, one.Note)
		}
	}
	view := deletionView(vm.DeletionSummary{Results: rows, TotalResources: 1, DryRun: len(sums) > 0 && sums[0].DryRun})
	view.Note = strings.Join(notes, "\n")
	data := make([]deletionData, len(sums))
	for n, sum := range sums {
		data[n] = dataOf(sum)
	}
	view.Data = data
	return view
}

// reportDeletion prints what came of a deletion, and returns its failure; again is the command that finishes what failed.
func (a Commands) reportDeletion(sum vm.DeletionSummary, failure error, again string) error {
	if err := a.Output.Print(deletionView(sum)); err != nil {
		return err
	}
	if failure != nil {
		return &errkind.Error{Err: failure, Next: app.Next(again)}
	}
	return nil
}

// forgetVM removes what this machine remembers of a VM that was deleted.
func (a Commands) forgetVM(ctx context.Context, s *app.Session, ref vm.Ref, vmID string) error {
	a.forgetNames(ctx, ref.Name)
	return s.Launcher.Forget(ctx, ref, vmID)
}

// forgetNames takes what the configuration remembers of a VM out of it.
func (a Commands) forgetNames(ctx context.Context, name string) {
	err := config.File{Path: a.Paths.Config}.Update(ctx, func(c *config.Config) error {
		delete(c.SessionNames, name)
		if c.LastVMName == name {
			c.LastVMName = ""
		}
		return nil
	})
	if err != nil {
		a.Say("warning: the name of the VM stays in the configuration: " + err.Error())
	}
}

// deleting runs a deletion and shows how far it is.
func (a Commands) deleting(what string, call func(report func(step string)) (vm.DeletionSummary, error)) (vm.DeletionSummary, error) {
	var sum vm.DeletionSummary
	var err error
	a.Stage("delete", "deleting "+what, func(report func(string)) string {
		switch sum, err = call(report); {
		case sum.FailedResources > 0:
			return fmt.Sprintf("%d of %d resources are left", sum.FailedResources, sum.TotalResources)
		case err != nil:
			return err.Error()
		}
		return ""
	})
	return sum, err
}

// deletionView shows a summary. A resource's own error is in its row, and in the error that follows.
func deletionView(sum vm.DeletionSummary) term.View {
	rows := slices.Clone(sum.Results)
	for _, c := range sum.Contents {
		rows = append(rows, teardown.Result{ResourceType: c.ResourceType, ResourceName: c.ResourceName, Success: true})
	}
	v := term.View{Data: dataOf(sum), Grid: term.Rows(rows, []term.Column[teardown.Result]{
		{Name: "type", Value: func(r teardown.Result) string { return r.ResourceType }},
		{Name: "name", Value: func(r teardown.Result) string { return r.ResourceName }},
		{Name: "result", Value: func(r teardown.Result) string {
			switch {
			case !r.Success:
				return "failed"
			case sum.DryRun:
				return "would be deleted"
			}
			return "deleted"
		}},
	})}
	if sum.TotalResources == 0 {
		v.Note = "nothing of " + sum.Name + " exists in resource group " + sum.ResourceGroup
	}
	for _, k := range sum.Kept {
		if v.Note != "" {
			v.Note += "\n"
		}
		v.Note += fmt.Sprintf("%s %s stays: %s", k.ResourceType, k.ResourceName, k.Reason)
	}
	return v
}
