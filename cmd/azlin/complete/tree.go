package complete

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
)

// words are the arguments of commands as their usage names them, without brackets. A word that is not here takes nothing
// that is known. files are in fileWords.
func words() map[string]source {
	return map[string]source{
		"VM": unused(vms), "VM[:SESSION]": vmsAndSessions, "VM|PATTERN": unused(vmsAndSessions),
		"GROUP": groups, "BASTION": bastions, "OPERATION": operations, "BACKUP": keyBackups, "SIZE": sizes,
		"NAME[:VERSION]": bakedImages, "ID": unused(faults), "PUBLISHER[:OFFER[:SKU]]": images,
	}
}

// wordsOf are words that mean something of its own in a command, or in the commands below it.
func wordsOf() map[string]source {
	return map[string]source{
		"azlin adopt VM":                 foreignVMs,
		"azlin show VM":                  vms,
		"azlin tunnel close NAME":        unused(tunnels),
		"azlin alias delete NAME":        unused(aliases),
		"azlin context NAME":             contexts,
		"azlin context create NAME":      nil,
		"azlin template NAME":            templates,
		"azlin template create NAME":     nil,
		"azlin auth permissions COMMAND": unused(commands),
	}
}

// flags are the flags whose values are names, by their own.
func flags() map[string]source {
	return map[string]source{
		"context": contexts, "confirm-context": contexts, "resource-group": groups, "group": groups, "region": regions,
		"zone": fixed("1", "2", "3"), "size": sizes, "image": images, "template": templates, "vnet": vnets, "bastion": bastions,
		"from-vm": vms, "select": selectors, "identity": fixed("system\tan identity of the VM's own"),
		"method": fixed("GET", "PUT", "POST", "PATCH", "DELETE"),
	}
}

// files reports whether a word or a flag takes a file or a directory of this machine.
func files(name string) bool {
	switch name {
	case "FILE", "NAME|FILE", // words
		"key", "new-key", "old-key", "ssh-key", "certificate", "secret-file", "federated-token-file", "cloud-init",
		"startup-script", "repo", "program", "dir", "record": // flags
		return true
	}
	return false
}

// Tree has every command and flag below root offer names. Where no file is meant, none is offered.
func Tree(a *app.App, root *cobra.Command) {
	byWord, ofCommand, byFlag := words(), wordsOf(), flags()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil && !cmd.HasSubCommands() {
			cmd.ValidArgsFunction = arguments(a, cmd, byWord, ofCommand)
		}
		visit := func(f *pflag.Flag) {
			if _, has := cmd.GetFlagCompletionFunc(f.Name); has || f.Value.Type() == "bool" || files(f.Name) {
				return
			}
			_ = cmd.RegisterFlagCompletionFunc(f.Name, completion(a, byFlag[f.Name])) // the flag is there
		}
		cmd.LocalNonPersistentFlags().VisitAll(visit)
		cmd.PersistentFlags().VisitAll(visit)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	root.ValidArgsFunction = completion(a, aliases)
}

// arguments completes each argument of a command as its usage names it.
func arguments(a *app.App, cmd *cobra.Command, byWord, ofCommand map[string]source) cobra.CompletionFunc {
	usage := strings.Fields(cmd.Use)[1:]
	return func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		name := wordAt(usage, len(args))
		if files(name) {
			return nil, cobra.ShellCompDirectiveDefault
		}
		from := byWord[name]
		for c := cmd; c != nil; c = c.Parent() {
			if own, ok := ofCommand[c.CommandPath()+" "+name]; ok {
				from = own
				break
			}
		}
		return completion(a, from)(cmd, args, word)
	}
}

// wordAt is the n-th word of a usage, without brackets; empty: there is none.
func wordAt(usage []string, n int) string {
	for i, word := range usage {
		if word == "--" || word == "[--" || word == "|" || strings.HasPrefix(word, "-") {
			return ""
		}
		plain := strings.TrimSuffix(word, "...")
		if repeats := plain != word || strings.HasSuffix(word, "...]"); i == n || repeats {
			if bare, ok := strings.CutPrefix(plain, "["); ok {
				plain = strings.TrimSuffix(strings.TrimSuffix(bare, "]"), "...")
			}
			return plain
		}
	}
	return ""
}
