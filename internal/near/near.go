// Package near finds names that are similar to a mistyped one.
package near

import (
	"cmp"
	"slices"
	"strings"
)

// Names returns the names most similar to typed, at most three: with other upper and lower case, with typed as a prefix,
// with one typing error in short names and two in names of at least six letters.
func Names(typed string, all []string) []string {
	type candidate struct {
		name string
		far  int
	}
	word := strings.ToLower(typed)
	allowed := 1
	if len(word) >= 6 {
		allowed = 2
	}
	var found []candidate
	for _, name := range all {
		if name == "" || slices.ContainsFunc(found, func(c candidate) bool { return c.name == name }) {
			continue
		}
		lower := strings.ToLower(name)
		far := distance(word, lower)
		if len(word) >= 3 && strings.HasPrefix(lower, word) {
			far = min(far, allowed)
		}
		if far <= allowed {
			found = append(found, candidate{name, far})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.name, b.name)) })
	names := make([]string, 0, 3)
	for _, c := range found[:min(3, len(found))] {
		if c.far > 0 && found[0].far == 0 {
			break // one of them is the same word
		}
		names = append(names, c.name)
	}
	return names
}

// Suggestion is the question after an error about an unknown name: `; did you mean "live"?`. Empty: nothing is similar.
func Suggestion(typed string, all []string) string {
	names := Names(typed, all)
	if len(names) == 0 {
		return ""
	}
	for n, name := range names {
		names[n] = `"` + name + `"`
	}
	return "; did you mean " + strings.Join(names, " or ") + "?"
}

// distance counts the typing errors between two words: a letter added, missing, replaced, or two swapped.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			other := 1
			if x[i-1] == y[j-1] {
				other = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+other)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
