package app

import (
	"github.com/azlin-dev/azlin/cost"
)

// MoneyText is nothing for a price that is not known.
func MoneyText(m *cost.Money, text func(cost.Money) string) string {
	if m == nil {
		return ""
	}
	return text(*m)
}

// SourceText names a source of prices and its date.
func SourceText(s cost.Source) string {
	if s.Name == cost.SourceBuiltIn {
		return "azlin's built-in list of " + s.AsOf.UTC().Format("January 2006")
	}
	return "Azure's retail price service, " + s.AsOf.UTC().Format("2006-01-02")
}
