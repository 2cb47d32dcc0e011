package app

import "github.com/azlin-dev/azlin/cmd/azlin/term"

// PlanLine is one line of what is about to be created.
type PlanLine struct{ Name, Value string }

// Line is a line of a plan.
func Line(name, value string) PlanLine { return PlanLine{Name: name, Value: value} }

// PlanGrid is the lines of a plan as a table.
func PlanGrid(lines []PlanLine) term.Grid {
	return term.Rows(lines, []term.Column[PlanLine]{
		{Name: "property", Value: func(l PlanLine) string { return l.Name }},
		{Name: "value", Value: func(l PlanLine) string { return l.Value }},
	})
}
