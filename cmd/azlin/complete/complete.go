// Package complete offers names while a command line is typed: which word of which command and which flag takes the name of
// what (tree.go), and where the names come from (sources.go). Names come from what azlin saw last; Azure is asked only where
// nothing is known, and not for longer than a second.
package complete

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/local/names"
)

// patience is how long Azure is asked while somebody waits for the answer to a key.
const patience = time.Second

// typing is a command line that is being typed.
type typing struct {
	*app.App

	ctx  context.Context
	cmd  *cobra.Command
	args []string // before the word that is typed
	word string
}

// source gives the names that may be meant. Nil: none.
type source func(t typing) []names.Name

// known is a source of names in Azure, remembered under a kind.
func known(kind string, list func(ctx context.Context, s *app.Session) ([]names.Name, error)) source {
	return func(t typing) []names.Name {
		settings, err := t.Resolution()
		if err != nil {
			return nil // a completion has nowhere to report it
		}
		cache := t.Names(settings)
		all, fresh := cache.Read(kind)
		if fresh {
			return all
		}
		ctx, cancel := context.WithTimeout(t.ctx, patience)
		defer cancel()
		s, err := t.OpenQuietly(ctx)
		if err != nil {
			return all
		}
		found, err := list(ctx, s)
		if err != nil {
			cache.Tried(kind)
			return all
		}
		cache.Keep(kind, found, true)
		return found
	}
}

// completion turns a source into what cobra calls for.
func completion(a *app.App, from source) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		a.Streams.Err, a.Log = io.Discard, slog.New(slog.DiscardHandler)
		if from == nil || a.Prepare("azlin") != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		var offered []cobra.Completion
		for _, n := range from(typing{a, ctx, cmd, args, word}) {
			if len(n.Name) < len(word) || !strings.EqualFold(n.Name[:len(word)], word) {
				continue
			}
			// What Azure and VMs call things goes into a shell.
			if clean := term.Clean(n.Name); clean == n.Name && !strings.ContainsAny(n.Name, " \t\n'\"`$\\;&|<>*?") {
				offered = append(offered, cobra.CompletionWithDesc(word+n.Name[len(word):], term.Clean(n.About)))
			}
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		if len(offered) > 0 && allEnd(offered, "=", ":") {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return offered, directive
	}
}

func allEnd(offered []cobra.Completion, ends ...string) bool {
	for _, o := range offered {
		name, _, _ := strings.Cut(o, "\t")
		if !slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) }) {
			return false
		}
	}
	return true
}

// fixed is a source of the same names everywhere.
func fixed(values ...string) source {
	return func(typing) []names.Name {
		all := make([]names.Name, len(values))
		for n, v := range values {
			all[n].Name, all[n].About, _ = strings.Cut(v, "\t")
		}
		return all
	}
}

// unused leaves out what the command line names already.
func unused(from source) source {
	return func(t typing) []names.Name {
		return slices.DeleteFunc(from(t), func(n names.Name) bool { return slices.Contains(t.args, n.Name) })
	}
}
