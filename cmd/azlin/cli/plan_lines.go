package cli

import "github.com/azlin-dev/azlin/cmd/azlin/term"

// planLine is one line of what is about to be created.
type planLine struct{ name, value string }

func planGrid(lines []planLine) term.Grid {
	return term.Rows(lines, []term.Column[planLine]{
		{Name: "property", Value: func(l planLine) string { return l.name }},
		{Name: "value", Value: func(l planLine) string { return l.value }},
	})
}
