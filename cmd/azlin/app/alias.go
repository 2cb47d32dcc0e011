package app

import (
	"regexp"
	"slices"
	"strings"

	"github.com/google/shlex"
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

// ExpandAlias puts what an alias of the configuration stands for in its place. A command of azlin's own takes precedence.
func (a *App) ExpandAlias(root *cobra.Command, args []string) ([]string, error) {
	at := commandAt(root, args)
	if at < 0 || IsCommand(root, args[at]) {
		return args, nil
	}
	paths, err := config.ResolvePaths(a.Env)
	if err != nil {
		return args, nil //nolint:nilerr // the command reports it
	}
	c, err := config.Load(paths.Config)
	if err != nil {
		return args, nil //nolint:nilerr // the command reports it
	}
	line, ok := c.Aliases[args[at]]
	if !ok {
		return args, nil
	}
	expanded, err := expand(args[at], line, args[at+1:])
	return slices.Concat(args[:at], expanded), err
}

// IsCommand reports whether word is a command below root, or an alias that azlin gives it.
func IsCommand(root *cobra.Command, word string) bool {
	return slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == word || c.HasAlias(word) }) ||
		slices.Contains([]string{"help", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}, word)
}

// commandAt is the place of the first argument that is neither a flag of all commands nor its value; -1: there is none. The
// words that a shell asks to complete are looked at, but for the last one, which is not whole.
func commandAt(root *cobra.Command, args []string) int {
	first := 0
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		first, args = 1, args[:len(args)-1]
	}
	for n := first; n < len(args); n++ {
		name, isFlag := strings.CutPrefix(args[n], "-")
		switch {
		case args[n] == "--":
			return -1
		case !isFlag:
			return n
		case strings.Contains(name, "="):
			continue
		}
		f := root.PersistentFlags().Lookup(strings.TrimPrefix(name, "-"))
		if len(name) == 1 {
			f = root.PersistentFlags().ShorthandLookup(name)
		}
		if f != nil && f.NoOptDefVal == "" {
			n++ // its value
		}
	}
	return -1
}

var placeholder = regexp.MustCompile(`\$[1-9]`)

// expand gives an alias its arguments: $1 to $9 where it has them, the others at its end.
func expand(name, line string, args []string) ([]string, error) {
	words, err := shlex.Split(line)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "the alias %s: %w", name, err)
	}
	used := 0
	for n, word := range words { // in one pass: what an argument contains stays as it is
		words[n] = placeholder.ReplaceAllStringFunc(word, func(place string) string {
			i := int(place[1] - '0')
			used = max(used, i)
			if i > len(args) {
				return ""
			}
			return args[i-1]
		})
	}
	if used > len(args) {
		return nil, &errkind.Error{Kind: errkind.Invalid, Err: errkind.New(errkind.Invalid, "the alias %s needs %d arguments: %s", name, used, line), Next: Next("azlin alias list")}
	}
	return append(words, args[used:]...), nil
}
