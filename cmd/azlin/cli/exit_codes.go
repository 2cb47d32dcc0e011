package cli

import "github.com/spf13/cobra"

const exitCodesText = `azlin ends with one of these exit codes:

    0   it worked
    1   something unexpected
    2   usage, or a program or setting is missing on this machine
    3   sign-in or permission
    4   provisioning: Azure accepted the request and then failed
    5   SSH: the VM does not answer, refuses the key, or is not the machine it was
    6   not found
    7   conflict: it exists, is in use, or is being changed by someone else
    8   throttled, quota or capacity
    9   some of several things failed; the output says which
  130   interrupted

'azlin connect' and 'azlin exec' end with the exit code of the remote command. Their own failures are
exit code 255, as with ssh; the kind of failure is in the error text and, with -o json, in error.kind.`

// newExitCodesTopic is a help topic: a command without Run that 'azlin help exit-codes' shows.
func newExitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "Exit codes of azlin", Long: exitCodesText}
}
