package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/vm"
)

func planLines(s *session, p *launch.Plan) []planLine {
	c := p.Config
	where := s.context.Name
	if where == "" {
		where = "the current subscription of the " + s.method
	}
	sources := make([]string, len(c.SSHSources))
	for n, source := range c.SSHSources {
		sources[n] = source.String()
	}
	lines := []planLine{
		{"context", where},
		{"subscription", s.Azure.SubscriptionID()},
		{"resource group", c.ResourceGroup},
		{"region", c.Region},
		{"name", c.Name},
		{"size", c.Size},
		{"image", p.Image},
	}
	lines = append(lines, accessLines(p, strings.Join(sources, ", "))...)
	if c.Zone != "" {
		lines = append(lines, planLine{"zone", c.Zone})
	}
	lines = append(lines, machineLines(c)...)
	if p.Repository != nil {
		lines = append(lines, planLine{"repository", p.Repository.URL + " → ~/" + p.Repository.Name})
	}
	lines = append(lines, setupLines(p.Setup)...)
	for _, f := range p.Fallbacks {
		lines = append(lines, planLine{"fallback", f})
	}
	lines = append(lines, quotaLines(p)...)
	lines = append(lines, priceLines(p)...)
	if p.Resumes {
		lines = append(lines, planLine{"resumes", "an earlier launch of this VM that was cut off"})
	}
	return lines
}

// machineLines are what was asked for beyond a size.
func machineLines(c vm.Config) []planLine {
	var lines []planLine
	if c.Spot {
		lines = append(lines, planLine{"spot", "yes: Azure may stop it at any time"})
	}
	if c.OSDiskSizeGB > 0 {
		lines = append(lines, planLine{"OS disk", fmt.Sprintf("%d GB", c.OSDiskSizeGB)})
	}
	for n, d := range c.DataDisks {
		lines = append(lines, planLine{fmt.Sprintf("data disk %d", n+1), fmt.Sprintf("%d GB", d.SizeGB)})
	}
	if c.Identity != "" {
		lines = append(lines, planLine{"identity", c.Identity})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tags)) {
		lines = append(lines, planLine{"tag " + name, c.Tags[name]})
	}
	return lines
}

// showPlan tells a person what is about to be created, and where.
func (a createCommands) showPlan(s *session, p *launch.Plan) {
	for _, l := range planLines(s, p) {
		a.say(fmt.Sprintf("  %-18s %s", l.name, l.value))
	}
}

func planView(s *session, p *launch.Plan) term.View {
	lines := planLines(s, p)
	data := planData(lines)
	data["price"], data["quota"] = planPriceOf(p), p.Quota
	if len(p.Notes) > 0 {
		data["notes"] = p.Notes
	}
	if len(p.Fallbacks) > 0 {
		data["fallbacks"] = p.Fallbacks
	}
	return term.View{Data: data, Grid: planGrid(lines)}
}

func planData(lines []planLine) map[string]any {
	data := map[string]any{}
	for _, l := range lines {
		data[strings.ReplaceAll(strings.ToLower(l.name), " ", "_")] = l.value
	}
	return data
}

// printPlan prints what a dry run is for: the plan; for programs with the exact requests that would be sent; or the
// resources as Bicep.
func (a createCommands) printPlan(ctx context.Context, s *session, view term.View, l launching, plans ...*launch.Plan) error {
	if !l.bicep && !a.output.Structured() {
		return a.output.Print(view)
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
		_, err = io.WriteString(a.streams.Out, text)
		return err
	}
	if data, ok := view.Data.(map[string]any); ok {
		data["requests"] = writes
	}
	return a.output.Print(view)
}
