package app

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/near"
)

// Exactly requires n arguments; what names them.
func Exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		if len(args) < n {
			return Usage(cmd, "missing argument: this command takes %s", what)
		}
		return Usage(cmd, "too many arguments: this command takes %s, and %d were given", what, len(args))
	}
}

// AtLeastOne requires one argument or more; what names them.
func AtLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return Usage(cmd, "missing argument: this command takes %s", what)
	}
}

// PlainArguments has the commands below root report arguments that they do not take in azlin's words, not in cobra's.
func PlainArguments(root *cobra.Command) {
	for _, c := range root.Commands() {
		PlainArguments(c)
		if check := c.Args; check != nil {
			c.Args = func(cmd *cobra.Command, args []string) error {
				err := check(cmd, args)
				switch {
				case err == nil || errkind.Of(err) != errkind.Unknown:
					return err
				case len(args) == 1 && cmd.HasSubCommands():
					return UnknownCommand(cmd, args[0])
				case len(args) == 1:
					return Usage(cmd, "unexpected argument %q", args[0])
				}
				return Usage(cmd, "too many arguments: %d were given", len(args))
			}
		}
	}
}

var exclusive = regexp.MustCompile(`^if any flags in the group \[.*\] are set none of the others can be; \[(.*)\] were all set$`)

// PlainFlags puts what cobra says about flags into azlin's words.
func PlainFlags(cmd *cobra.Command, err error) error {
	if m := exclusive.FindStringSubmatch(err.Error()); m != nil {
		return Usage(cmd, "--%s exclude each other", strings.ReplaceAll(m[1], " ", " and --"))
	}
	if v, ok := errors.AsType[*pflag.NotExistError](err); ok && len(v.GetSpecifiedName()) > 1 {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, "--"+f.Name)
			}
		})
		return Usage(cmd, "unknown flag --%s%s", v.GetSpecifiedName(), near.Suggestion("--"+v.GetSpecifiedName(), known))
	}
	if v, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		if fields := fieldsOf(cmd); v.GetSpecifiedName() == "json" && fields != nil {
			return Usage(cmd, "--json: specify one or more of these fields, separated by commas: %s", strings.Join(fields, ", "))
		}
	}
	if v, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return Usage(cmd, "--%s %q: specify %s", v.GetFlag().Name, v.GetValue(), kindOfValue(v.GetFlag().Value.Type()))
	}
	return err
}

func kindOfValue(kind string) string {
	switch kind {
	case "bool":
		return "true or false"
	case "int", "int32", "int64", "uint16", "uint":
		return "a whole number"
	case "float64":
		return "a number"
	case "duration":
		return "a duration, for example 90s, 10m or 36h"
	}
	return "another value"
}

// Usage is the error for a command line that is wrong.
func Usage(cmd *cobra.Command, format string, args ...any) error {
	return &errkind.Error{Kind: errkind.Invalid, Op: cmd.CommandPath(), Err: fmt.Errorf(format, args...), Next: Next(cmd.CommandPath(), "--help")}
}
