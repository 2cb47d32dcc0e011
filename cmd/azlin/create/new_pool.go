package create

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/vm"
)

// carryOutPool is carryOut for several VMs of one kind. It connects to none of them.
func (a Commands) carryOutPool(ctx context.Context, s *app.Session, request launch.Request, count int, l Launching) error {
	show := a.NewProgress()
	defer show.Close()
	display := progress.New(len(launch.PoolStages()), show.Sink)
	plan, err := s.Launcher.PlanPool(ctx, request, count, display)
	if err != nil {
		return err
	}
	if l.dryRun {
		return a.printPlan(ctx, s, poolPlanView(s, plan), l, plan.Plans...)
	}
	for _, line := range poolLines(s, plan) {
		a.Say(fmt.Sprintf("  %-18s %s", line.Name, line.Value))
	}
	if len(plan.Plans) > 0 {
		if err := a.ConfirmLocal(ctx, fmt.Sprintf("Create %d VMs?", len(plan.Plans)), l.Yes); err != nil {
			return err
		}
	}
	quiet := a.tellInterrupt(ctx)
	result, err := s.Launcher.RunPool(ctx, plan, display)
	quiet()
	if result == nil {
		return err
	}
	show.Close()
	if perr := a.Output.Print(poolView(plan, result)); perr != nil {
		return perr
	}
	if err != nil {
		again := fmt.Sprintf("azlin new --name %s --pool %d -g %s", plan.Name, plan.Count, cmp.Or(request.ResourceGroup, s.Azure.Target().ResourceGroup))
		return &errkind.Error{Err: err, Next: app.Next(again)}
	}
	return nil
}

// poolLines tell what is about to be created, with what all VMs of the pool cost and count against together.
func poolLines(s *app.Session, p *launch.PoolPlan) []app.PlanLine {
	lines := []app.PlanLine{app.Line("pool", fmt.Sprintf("%s: %d VMs, %d to be made, %d there already", p.Name, p.Count, len(p.Plans), len(p.Existing)))}
	if len(p.Plans) == 0 {
		return lines
	}
	for _, l := range planLines(s, p.Plans[0]) {
		switch l.Name {
		case "name":
			l.Value = vm.PoolName(p.Name, 1, p.Count) + " to " + vm.PoolName(p.Name, p.Count, p.Count)
		case "price":
			l.Name = "price of each"
		case "resumes":
			continue
		}
		lines = append(lines, l)
	}
	if e := p.Plans[0].Price; e != nil && e.Hourly != nil {
		n := int64(len(p.Plans))
		lines = append(lines, app.Line("price of all", fmt.Sprintf("%s per hour, %s per month", e.Hourly.Times(n), e.Monthly.Times(n).Cents())))
	}
	return lines
}

func poolPlanView(s *app.Session, p *launch.PoolPlan) term.View {
	lines := poolLines(s, p)
	data := planData(lines)
	data["count"], data["existing"] = p.Count, len(p.Existing)
	if len(p.Plans) > 0 {
		data["price"], data["quota"] = planPriceOf(p.Plans[0]), p.Plans[0].Quota
	}
	return term.View{Data: data, Grid: app.PlanGrid(lines)}
}

// poolMember is one VM of a pool in the result.
type poolMember struct {
	VM       string   `json:"vm"`
	Result   string   `json:"result"` // "created", "existing" or "failed"
	PublicIP *string  `json:"public_ip"`
	Stage    *string  `json:"stage"`
	Code     *string  `json:"code"`
	Error    *string  `json:"error"`
	LeftOver []string `json:"left_over,omitempty"`
}

func poolView(p *launch.PoolPlan, r *launch.PoolResult) term.View {
	members := []poolMember{}
	for _, i := range r.Existing {
		members = append(members, poolMember{VM: i.Name, Result: "existing", PublicIP: app.Known(i.PublicIP)})
	}
	for _, one := range r.Successful {
		members = append(members, poolMember{VM: one.VM.Name, Result: "created", PublicIP: app.Known(one.VM.PublicIP)})
	}
	for _, f := range r.Failed {
		members = append(members, poolMember{
			VM: f.VM, Result: "failed", Stage: app.Known(f.Stage), Code: app.Known(f.Code), Error: app.Known(f.Err.Error()), LeftOver: f.LeftOver,
		})
	}
	return term.View{
		Data: struct {
			Pool       string       `json:"pool"`
			Total      int          `json:"total"`
			Successful int          `json:"successful"`
			Existing   int          `json:"existing"`
			Failed     int          `json:"failed"`
			Seconds    float64      `json:"total_seconds"`
			VMs        []poolMember `json:"vms"`
		}{p.Name, p.Count, len(r.Successful), len(r.Existing), len(r.Failed), r.TotalTime.Round(time.Millisecond).Seconds(), members},
		Grid: term.Rows(members, []term.Column[poolMember]{
			{Name: "vm", Value: func(m poolMember) string { return m.VM }},
			{Name: "result", Value: func(m poolMember) string { return m.Result }},
			{Name: "public_ip", Value: func(m poolMember) string { return app.Text(m.PublicIP) }},
			{Name: "stage", Value: func(m poolMember) string { return app.Text(m.Stage) }},
			{Name: "code", Value: func(m poolMember) string { return app.Text(m.Code) }},
		}),
	}
}
