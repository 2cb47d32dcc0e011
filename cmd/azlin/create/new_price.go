package create

import (
	"fmt"
	"strings"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/launch"
)

// priceLines tell what the VM of a plan costs, what of it is not known, and where the prices are from.
func priceLines(p *launch.Plan) []app.PlanLine {
	e := p.Price
	if e == nil {
		return nil
	}
	line := app.Line("price", "not known")
	if e.Hourly != nil && e.Monthly != nil {
		var parts []string
		for _, part := range e.Parts {
			if part.Monthly != nil {
				parts = append(parts, part.Name+" "+part.Monthly.Cents())
			}
		}
		line.Value = fmt.Sprintf("%s per hour, %s per month of 730 h without traffic (%s)",
			e.Hourly, e.Monthly.Cents(), strings.Join(parts, ", "))
	}
	lines := []app.PlanLine{line}
	if len(e.Unknown) > 0 {
		lines = append(lines, app.Line("price not known", strings.Join(e.Unknown, ", ")))
	}
	var from []string
	for _, s := range e.Sources() {
		if text := app.SourceText(s); len(from) == 0 || from[len(from)-1] != text {
			from = append(from, text)
		}
	}
	if len(from) > 0 {
		lines = append(lines, app.Line("price list", strings.Join(from, "; ")))
	}
	if e.Failed != nil {
		lines = append(lines, app.Line("price service", e.Failed.Error()))
	}
	return lines
}

// quotaLines tell how much of each limit is left, and what could not be checked.
func quotaLines(p *launch.Plan) []app.PlanLine {
	var parts []string
	for _, q := range p.Quota {
		parts = append(parts, fmt.Sprintf("%s: %d of %d left, %d needed", q.Name, q.Left(), q.Limit, q.Needed))
	}
	var lines []app.PlanLine
	if len(parts) > 0 {
		lines = append(lines, app.Line("quota", strings.Join(parts, "; ")))
	}
	for _, n := range p.Notes {
		lines = append(lines, app.Line("not checked", n))
	}
	return lines
}

// planPrice is the JSON of a plan's price.
type planPrice struct {
	cost.Estimate

	ServiceError string `json:"service_error,omitempty"` // why the price service was not asked
}

func planPriceOf(p *launch.Plan) *planPrice {
	if p.Price == nil {
		return nil
	}
	v := planPrice{Estimate: *p.Price}
	if p.Price.Failed != nil {
		v.ServiceError = p.Price.Failed.Error()
	}
	return &v
}
