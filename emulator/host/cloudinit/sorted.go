package cloudinit

import (
	"maps"
	"slices"
)

// sortedKeys makes the order of what is reported independent of a map's.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
