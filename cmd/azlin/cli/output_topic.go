package cli

import "github.com/spf13/cobra"

const outputText = `-o sets the format of every command's result:

    table   for people, fitted to the terminal (the default)
    wide    a table with all columns, whatever its width
    json    a list is an array, one thing an object; unknown values are null
    yaml    the same as YAML
    csv     a header and a line for each row
    tsv     a line for each row, without a header
    name    the name of each row

The table rounds and shortens for people. csv, tsv, json and yaml have whole values: seconds, bytes, times as in
2026-11-30T20:44:07Z, and prices as numbers. In JSON a price is {"amount": 0.192, "currency": "USD"}; csv and tsv have the
currency in the last column. A column of csv and tsv has the name of the JSON field that it shows.

A field has one name everywhere: name, resource_group, location, size, power_state, session, created, price_hourly,
price_monthly.

Commands that list have flags to choose:

    --json name,size         JSON with these fields; --json alone lists the fields
    --columns name,size      the columns of the table, csv or tsv
    --sort-by size           the order; --sort-by -size the other way round

--query takes a JMESPath expression, as az does, and prints in the format of -o; members are in the order of the
query:

    azlin list -o tsv --query '[].[name,public_ip]'
    azlin list -o tsv --query "[?power_state=='running'].name"

--jq takes a jq expression, as gh does:

    azlin list --jq '.[] | select(.size == "Standard_B2s") | .name'

A command that changes several things prints an object with total, succeeded, failed and results.

With -o json, -o yaml, --json or --jq an error is JSON on standard error: {"error": {"kind": …, "message": …, "exit_code": …}}.`

// newOutputTopic is a help topic that 'azlin help output' shows.
func newOutputTopic() *cobra.Command {
	return &cobra.Command{Use: "output", Short: "Formats of results, fields and queries", Long: outputText}
}
