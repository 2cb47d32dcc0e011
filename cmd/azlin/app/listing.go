package app

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/internal/near"
)

// The annotations of a command with Listing: what its items have, separated by commas.
const (
	annotationFields  = "fields"
	annotationColumns = "columns"
)

// Fields adds --json to a command that prints one T or several.
func Fields[T any](a *App, cmd *cobra.Command) {
	fields := membersOf(reflect.TypeFor[T]())
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[annotationFields] = strings.Join(fields, ",")
	cmd.Flags().StringSliceVar(&a.Flags.fields, "json", nil, "print JSON with these fields only; without a value, list the fields")
	Complete(cmd, "json", fields)
}

// Listing adds --json, --sort-by and --columns to a command that prints items of T, in a table that may have other columns,
// too.
func Listing[T any](a *App, cmd *cobra.Command, others ...string) {
	Fields[T](a, cmd)
	columns := append(fieldsOf(cmd), others...)
	cmd.Annotations[annotationColumns] = strings.Join(columns, ",")
	f := cmd.Flags()
	f.StringSliceVar(&a.Flags.columns, "columns", nil, "columns to show, separated by commas")
	f.StringVar(&a.Flags.sortBy, "sort-by", "", "field to sort by; -FIELD sorts the other way round")
	Complete(cmd, "columns", columns)
	Complete(cmd, "sort-by", columns)
}

// PrepareListing checks what the command line says about fields, before anything is done.
func (a *App) PrepareListing(cmd *cobra.Command) error {
	fields := fieldsOf(cmd)
	if fields == nil {
		return nil
	}
	columns := strings.Split(cmd.Annotations[annotationColumns], ",")
	for _, given := range []struct {
		flag         string
		names, known []string
	}{
		{"json", a.Flags.fields, fields},
		{"columns", a.Flags.columns, columns},
		{"sort-by", []string{strings.TrimPrefix(a.Flags.sortBy, "-")}, columns},
	} {
		if f := cmd.Flags().Lookup(given.flag); f == nil || !f.Changed {
			continue
		}
		if len(given.names) == 0 {
			given.names = []string{""}
		}
		for _, name := range given.names {
			if !slices.Contains(given.known, name) {
				return Usage(cmd, "--%s: there is no field %q%s", given.flag, name, cmp.Or(near.Suggestion(name, given.known), "; use "+strings.Join(given.known, ", ")))
			}
		}
	}
	if a.Flags.fields != nil && a.Flags.columns != nil {
		return Usage(cmd, "--json and --columns exclude each other")
	}
	a.Output.Pager = a.pager()
	a.Output.Fields, a.Output.Columns, a.Output.SortBy = a.Flags.fields, a.Flags.columns, a.Flags.sortBy
	return nil
}

// fieldsOf are the fields of the items that a command prints; nil: it has no --json.
func fieldsOf(cmd *cobra.Command) []string {
	if list := cmd.Annotations[annotationFields]; list != "" {
		return strings.Split(list, ",")
	}
	return nil
}

// membersOf are the members of a type in JSON, in their order.
func membersOf(t reflect.Type) []string {
	if t.Implements(reflect.TypeFor[json.Marshaler]()) {
		return membersOfJSON(reflect.Zero(t).Interface())
	}
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && f.Anonymous && f.Type.Kind() == reflect.Struct:
			names = append(names, membersOf(f.Type)...)
		case name != "" && name != "-":
			names = append(names, name)
		}
	}
	return names
}

// membersOfJSON are those of a type that writes its JSON itself.
func membersOfJSON(zero any) []string {
	data, err := json.Marshal(zero)
	if err != nil {
		return nil
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	var names []string
	if _, err := dec.Token(); err != nil {
		return nil
	}
	for dec.More() {
		key, err := dec.Token()
		name, ok := key.(string)
		var value json.RawMessage
		if err != nil || !ok || dec.Decode(&value) != nil {
			return names
		}
		names = append(names, name)
	}
	return names
}
