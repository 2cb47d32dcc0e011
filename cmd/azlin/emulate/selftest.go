package emulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
)

func newSelftestCommand(a Commands, main mainFunc) *cobra.Command {
	var faults, markdown bool
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Test azlin on this machine",
		Long: `Runs azlin's commands against a separate emulator in a temporary directory. Your files are not changed, and no request
leaves this machine. With --faults, each command meets each fault that the emulator can produce, and must either succeed
or fail with an error that names what is left over and the next command. This takes about a minute.`,
		Example: "  azlin selftest\n  azlin selftest --faults",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows := []faultRow{{name: "no fault"}}
			if faults {
				rows = append(rows, faultRows()...)
			}
			table, err := selftest(cmd.Context(), main, a.Environ, rows, func(line string) { a.Say(line) })
			if err != nil {
				return err
			}
			if markdown {
				_, err = a.Streams.Out.Write([]byte(faultsPage(table)))
			} else {
				err = a.Output.Print(selftestView(table))
			}
			return errors.Join(err, judge(table))
		},
	}
	cmd.Flags().BoolVar(&faults, "faults", false, "test with every fault that the emulator can produce")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print the table as Markdown")
	return cmd
}

// selftestLine is what came of one fault, command by command.
type selftestLine struct {
	Fault    string            `json:"fault"`
	Outcomes map[string]string `json:"outcomes"` // by column
}

// judge is the error for a table with what must not be.
func judge(table []selftestLine) error {
	var bad []string
	for _, line := range table {
		for _, column := range faultColumns() {
			if o := line.Outcomes[column.name]; strings.HasPrefix(o, wrong) {
				bad = append(bad, fmt.Sprintf("%s, %s: %s", line.Fault, column.name, o))
			}
		}
	}
	if bad == nil {
		return nil
	}
	return errkind.New(errkind.Unknown, "%s", strings.Join(bad, "\n"))
}

func selftestView(table []selftestLine) term.View {
	columns := []term.Column[selftestLine]{{Name: "fault", Value: func(l selftestLine) string { return l.Fault }}}
	for _, c := range faultColumns() {
		columns = append(columns, term.Column[selftestLine]{Name: c.name, Value: func(l selftestLine) string {
			kind, _, _ := strings.Cut(l.Outcomes[c.name], ":")
			return kind
		}})
	}
	return term.View{Data: table, Grid: term.Rows(table, columns)}
}

// mainFunc runs azlin; see cli.Main.
type mainFunc func(ctx context.Context, args, environ []string, streams term.Streams) int

// trial is azlin run in this process, on an emulator of its own.
type trial struct {
	home    string
	environ []string
	main    mainFunc
}

func newTrial(ctx context.Context, main mainFunc, environ []string) (*trial, error) {
	home, err := os.MkdirTemp("", "azlin-selftest-")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(home, "azlin")
	t := &trial{home: home, main: main, environ: append(environ,
		"HOME="+home, "AZLIN_CONFIG_DIR="+dir, "AZLIN_CONTEXT=emulator", "SSH_AUTH_SOCK=", "AZURE_SUBSCRIPTION_ID=",
	)}
	for _, line := range []string{
		"new --name dev --tools none --yes --no-auto-connect", "new --name off --tools none --yes --no-auto-connect",
		"tag add off azlin-protected=yes",
		"config set ssh_timeout 2s", "config set operation_timeout 3s",
	} {
		if err := t.must(ctx, line); err != nil {
			return nil, errors.Join(err, t.close(ctx))
		}
	}
	return t, nil
}

func (t *trial) close(ctx context.Context) error {
	err := emulator.Stop(context.WithoutCancel(ctx), filepath.Join(t.home, "azlin", "emulator"))
	if errors.Is(err, emulator.ErrNotRunning) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(t.home))
}

// tried is what a command came to.
type tried struct {
	code    int
	out     string
	failure app.Failure // zero when the code is 0
	took    time.Duration
}

// longestTrial is how long a command may take before it is said to hang.
const longestTrial = 40 * time.Second

// run runs one command line; words are split at spaces.
func (t *trial) run(ctx context.Context, line string) tried {
	ctx, cancel := context.WithTimeout(ctx, longestTrial)
	defer cancel()
	var out, errOut bytes.Buffer
	began := time.Now()
	before, command, dashed := strings.Cut(line, " -- ")
	args := append(strings.Fields(before), "-o", "json", "--progress", "none")
	if dashed {
		args = append(append(args, "--"), strings.Fields(command)...)
	}
	r := tried{code: t.main(ctx, args, t.environ, term.Streams{In: strings.NewReader(""), Out: &out, Err: &errOut})}
	r.took, r.out = time.Since(began), out.String()
	for text := range strings.Lines(errOut.String()) {
		var said struct {
			Error app.Failure `json:"error"`
		}
		if json.Unmarshal([]byte(text), &said) == nil && said.Error.Kind != "" {
			r.failure = said.Error
		}
	}
	return r
}

func (t *trial) must(ctx context.Context, line string) error {
	if r := t.run(ctx, line); r.code != 0 {
		return fmt.Errorf("azlin %s: exit code %d: %s", line, r.code, r.failure.Message)
	}
	return nil
}
