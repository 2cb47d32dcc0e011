package create

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/vm/provision"
)

func planLines(s *app.Session, p *launch.Plan) []app.PlanLine {
	c := p.Config
	where := s.Context.Name
	if where == "" {
		where = "the current subscription of the " + s.Method
	}
	sources := make([]string, len(c.SSHSources))
	for n, source := range c.SSHSources {
		sources[n] = source.String()
	}
	lines := []app.PlanLine{
		app.Line("context", where),
		app.Line("subscription", s.Azure.SubscriptionID()),
		app.Line("resource group", c.ResourceGroup),
		app.Line("region", c.Region),
		app.Line("name", c.Name),
		app.Line("size", c.Size),
		app.Line("image", p.Image),
	}
	lines = append(lines, accessLines(p, strings.Join(sources, ", "))...)
	if p.NewKey() {
		lines = append(lines, app.Line("SSH key", c.SSHKeyPath+" (new)"))
	}
	if c.Zone != "" {
		lines = append(lines, app.Line("zone", c.Zone))
	}
	lines = append(lines, machineLines(c)...)
	if p.Repository != nil {
		lines = append(lines, app.Line("repository", p.Repository.URL+" → ~/"+p.Repository.Name))
	}
	lines = append(lines, setupLines(p.Setup)...)
	for _, f := range p.Fallbacks {
		lines = append(lines, app.Line("fallback", f))
	}
	lines = append(lines, quotaLines(p)...)
	lines = append(lines, priceLines(p)...)
	if p.Resumes {
		lines = append(lines, app.Line("resumes", "an earlier launch of this VM that was cut off"))
	}
	return lines
}

// machineLines are what was asked for beyond a size.
func machineLines(c provision.Config) []app.PlanLine {
	var lines []app.PlanLine
	if c.Spot {
		lines = append(lines, app.Line("spot", "yes: Azure may stop it at any time"))
	}
	if c.OSDiskSizeGB > 0 {
		lines = append(lines, app.Line("OS disk", fmt.Sprintf("%d GB", c.OSDiskSizeGB)))
	}
	for n, d := range c.DataDisks {
		lines = append(lines, app.Line(fmt.Sprintf("data disk %d", n+1), fmt.Sprintf("%d GB", d.SizeGB)))
	}
	if c.Identity != "" {
		lines = append(lines, app.Line("identity", c.Identity))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tags)) {
		lines = append(lines, app.Line("tag "+name, c.Tags[name]))
	}
	return lines
}

// showPlan tells a person what is about to be created, and where.
func (a Commands) showPlan(s *app.Session, p *launch.Plan) {
	for _, l := range planLines(s, p) {
		a.Say(fmt.Sprintf("  %-18s %s", l.Name, l.Value))
	}
}

func planView(s *app.Session, p *launch.Plan) term.View {
	lines := planLines(s, p)
	data := planData(lines)
	data["price"], data["quota"] = planPriceOf(p), p.Quota
	if len(p.Notes) > 0 {
		data["notes"] = p.Notes
	}
	if len(p.Fallbacks) > 0 {
		data["fallbacks"] = p.Fallbacks
	}
	return term.View{Data: data, Grid: app.PlanGrid(lines)}
}

func planData(lines []app.PlanLine) map[string]any {
	data := map[string]any{}
	for _, l := range lines {
		data[strings.ReplaceAll(strings.ToLower(l.Name), " ", "_")] = l.Value
	}
	return data
}

// printPlan prints what a dry run is for: the plan; for programs with the exact requests that would be sent; or the
// resources as Bicep.
func (a Commands) printPlan(ctx context.Context, s *app.Session, view term.View, l Launching, plans ...*launch.Plan) error {
	if !l.bicep && !a.Output.Structured() {
		return a.Output.Print(view)
	}
	writes, err := s.Launcher.Rehearse(ctx, plans...)
	if err != nil {
		return err
	}
	if l.bicep {
		text, err := launch.Bicep(writes)
		if err != nil {
			return err
		}
		_, err = io.WriteString(a.Streams.Out, text)
		return err
	}
	if data, ok := view.Data.(map[string]any); ok {
		data["requests"] = writes
	}
	return a.Output.Print(view)
}
