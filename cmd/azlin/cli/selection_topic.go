package cli

import "github.com/spf13/cobra"

const selectionText = `Commands that take VMs take them in the same way.

As arguments:

    dev                the VM of this name, in the resource group at hand first, then in all
    work               the VM with this session name
    dev:build          a tmux session on a VM
    203.0.113.7        the VM with this address
    'web-*'            all VMs whose name or session name fits the pattern (*, ?)

With --select, by their properties:

    'web-*'            names and session names
    tag:env=dev        a tag with this value; tag:env: the tag, whatever its value
    state:running      running, starting, stopping, stopped, deallocating, deallocated, unknown
    pool:web           VMs of a pool
    group:team         a resource group
    size:Standard_D*   a size
    region:westus2     a region
    owner:me           who created the VM; 'me' is whoever is signed in
    idle               not used for 30 days, as 'azlin prune' finds it

    !state:running     not
    web-*,tag:env=dev  both
    --select A --select B
                       either

--all, patterns and --select look in the resource group that is set (-g, environment, context, configuration), with -A or
without one in all groups. --all selects every VM there that azlin manages. A command that deletes takes VM names, patterns and selections
only: a session name or an address is refused.`

// newSelectionTopic is a help topic that 'azlin help selection' shows.
func newSelectionTopic() *cobra.Command {
	return &cobra.Command{Use: "selection", Short: "How commands select VMs", Long: selectionText}
}
