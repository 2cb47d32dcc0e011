package emulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
)

// wrong begins the outcome of a command that hung, lied, or could not go on.
const wrong = "WRONG"

// faultRow is one fault that every command meets. rules may be empty.
type faultRow struct {
	name  string
	rules []fault.Rule
}

// patience is 0 when Azure never answers again while the fault lasts, 1 when something is waited for that does not come,
// and 2 otherwise.
func (r faultRow) patience() int {
	least := 2
	for _, f := range r.rules {
		switch {
		case f.Count == 0 && f.Path != "":
			return 0
		case f.Count == 0 && f.Effect != fault.SSHDelay && f.Effect != fault.SSHLimit && f.Effect != fault.Skew:
			least = 1
		}
	}
	return least
}

// faultRows are the faults, each as often as azlin is expected to get over it, and some without end.
func faultRows() []faultRow {
	var rows []faultRow
	for _, e := range fault.Effects() {
		r := fault.Rule{Effect: e, Count: 1}
		switch e {
		case fault.Throttle, fault.Slow:
			r.Delay = 300 * time.Millisecond
		case fault.Skew:
			r.Count = 0
		case fault.Stuck:
			r.Count = 0
		case fault.Lie:
			r.Delay = time.Second
		case fault.SSHDrop, fault.SSHFreeze:
			r.Bytes, r.Count = 1500, 0
		case fault.SSHDelay:
			r.Delay, r.Count = 20*time.Millisecond, 0
		case fault.SSHRefuse, fault.SSHHang, fault.SSHLimit:
			r.Count = 0
		}
		rows = append(rows, faultRow{string(e), []fault.Rule{r}})
	}
	for _, code := range []string{"ZonalAllocationFailed", "OverconstrainedZonalAllocationRequest"} {
		rows = append(rows, faultRow{"fail " + code, []fault.Rule{{Effect: fault.Fail, Count: 1, Code: code}}})
	}
	return append(rows,
		faultRow{"503 without end", []fault.Rule{{Effect: fault.Error503, Path: "/subscriptions/*"}}},
		faultRow{"throttle without end", []fault.Rule{{Effect: fault.Throttle, Path: "/subscriptions/*", Delay: 50 * time.Millisecond}}},
	)
}

// faultColumn is one command. Requests that change something are struck where it has some, because there a repetition
// could do harm.
type faultColumn struct {
	name    string
	method  string // of the requests that are struck; empty: any
	path    string // as method
	prepare string // command lines before the fault, separated by semicolons
	line    string
	check   string // a command that succeeds when the line has done what it says, after the fault is gone
}

// faultChains are the columns, in chains: in a chain a command finds what the one before it has left.
func faultChains() [][]faultColumn {
	const (
		create = "new --name fresh --tools none --yes --no-auto-connect --ssh-timeout 8s"
		gone   = "list --all --jq .[]|select(.name==%q)|error(\"it-is-there\")"
	)
	return [][]faultColumn{
		{
			{"new", "PUT", "", "kill fresh --yes --ignore-not-found", create, "exec fresh -- true"},
			{"kill", "DELETE", "", "", "kill fresh --yes --ignore-not-found", fmt.Sprintf(gone, "fresh")},
		}, {
			{"start", "POST", "", "stop off", "start off", "exec off -- true"},
			{"resize", "PATCH", "", "resize off Standard_B2s --yes", "resize off Standard_B2ms --yes", "exec off -- true"},
			{"stop", "POST", "", "", "stop off", "start off"},
		}, {
			{"clone", "PUT", "", "kill twin --yes --ignore-not-found", "clone dev --name twin --yes --ssh-timeout 8s", "exec twin -- true"},
			{"prune", "DELETE", "", "stop twin;emulator clock advance 3h", "prune --idle 2h --yes", fmt.Sprintf(gone, "twin")},
		}, {
			{"list", "GET", "", "", "list", "list"},
			{"exec", "", "", "", "exec dev -- true", "exec dev -- true"},
			{"connect", "", "", "", "connect dev -- true", "exec dev -- true"},
			{"tag", "PATCH", "", "tag remove dev team", "tag add dev team=web", "tag list dev --jq select(.tags.team!=\"web\")|error(\"it-is-not\")"},
			{"login", "", "*/token", "logout", "auth test", "auth test"},
		}, {
			{"update", "", "", "", "update dev --tools git --timeout 15s", "update dev --tools git"},
			{"keys", "", "", "", "keys rotate dev off --yes", "exec dev -- true"},
			{"cleanup", "GET", "", "", "cleanup", "cleanup"},
			{"why", "GET", "", "", "why dev", "why dev"},
		},
	}
}

func faultColumns() []faultColumn { return slices.Concat(faultChains()...) }

// trialsAtOnce is how many emulators there are: most of the time is spent waiting.
const trialsAtOnce = 10

// selftest runs every command under every fault, several chains at once. An emulator serves as many of them as come to it:
// what one leaves is what a user would have left, too.
func selftest(ctx context.Context, main mainFunc, environ []string, rows []faultRow, say func(string)) ([]selftestLine, error) {
	type piece struct{ row, chain int }
	var pieces []piece
	table := make([]selftestLine, len(rows))
	for n, row := range rows {
		table[n] = selftestLine{Fault: row.name, Outcomes: map[string]string{}}
		for c := range faultChains() {
			pieces = append(pieces, piece{n, c})
		}
	}
	// What takes longest goes first: commands that wait as long as they can.
	slices.SortStableFunc(pieces, func(a, b piece) int { return rows[a.row].patience() - rows[b.row].patience() })
	todo := make(chan piece, len(pieces))
	for _, p := range pieces {
		todo <- p
	}
	close(todo)
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	for range min(trialsAtOnce, len(rows)+1) {
		g.Go(func() (err error) {
			t, err := newTrial(ctx, main, slices.Clone(environ))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, t.close(ctx)) }()
			for p := range todo {
				for _, column := range faultChains()[p.chain] {
					outcome, err := t.cell(ctx, rows[p.row], column)
					if err != nil {
						return fmt.Errorf("%s, %s: %w", rows[p.row].name, column.name, err)
					}
					mu.Lock()
					table[p.row].Outcomes[column.name] = outcome
					if len(table[p.row].Outcomes) == len(faultColumns()) {
						say("tried: " + rows[p.row].name)
					}
					mu.Unlock()
				}
			}
			return nil
		})
	}
	return table, g.Wait()
}

// cell runs one command under one fault. Whatever it comes to, running it again without the fault must end well.
func (t *trial) cell(ctx context.Context, row faultRow, c faultColumn) (string, error) {
	if c.path != "" && slices.ContainsFunc(row.rules, func(r fault.Rule) bool { return r.Effect == fault.InProgress || r.Effect == fault.Expired }) {
		return "–", nil // only Azure Resource Manager answers so; nothing is prepared, or the next cell would find it
	}
	dir := t.home + "/azlin/emulator"
	for line := range strings.SplitSeq(c.prepare, ";") {
		if line != "" {
			if err := t.must(ctx, line); err != nil {
				return "", err
			}
		}
	}
	for _, r := range row.rules {
		if !strings.HasPrefix(string(r.Effect), "ssh-") && r.Effect != fault.Fail && r.Effect != fault.Stuck && r.Effect != fault.Lie {
			r.Method = c.method
			if r.Path == "" {
				r.Path = c.path
			}
		}
		if _, err := emulator.AddFault(ctx, dir, r); err != nil {
			return "", err
		}
	}
	met := t.run(ctx, c.line)
	if _, err := emulator.ClearFaults(ctx, dir); err != nil {
		return "", err
	}
	outcome := met.outcome()
	again := tried{}
	if met.code != 0 {
		again = t.run(ctx, c.line)
	}
	after := t.run(ctx, c.check)
	switch {
	case met.took >= longestTrial:
		outcome = wrong + ": it hangs"
	case met.code != 0 && met.failure.Kind == "" && met.failure.Message == "":
		outcome = wrong + ": no error is named"
	case again.code != 0:
		outcome = wrong + ": it cannot be gone on with: " + again.failure.Message
	case after.code != 0:
		outcome = wrong + ": it says that it is done, and it is not: " + after.failure.Message
	}
	return outcome, nil
}

// outcome is the same for the same fault on every machine: the kind of the error and the command that goes on.
func (r tried) outcome() string {
	if r.code == 0 {
		return "ok"
	}
	kind := string(r.failure.Kind)
	if kind == "" {
		kind = "error"
	}
	if r.failure.Code != "" {
		kind += " " + r.failure.Code
	}
	if r.failure.Next == "" {
		return kind + ": the same again"
	}
	return kind + ": `" + r.failure.Next + "`"
}

// faultsPage is docs/faults.md.
func faultsPage(table []selftestLine) string {
	var b strings.Builder
	b.WriteString(`# What azlin makes of faults

Generated by the tests, from the table that ` + "`azlin selftest --faults`" + ` makes on any machine. A row is what goes wrong (see
` + "`azlin emulator fault add --help`" + `), once unless it says otherwise; a column is a command that meets it. "ok" means that
the command got over it and did what it says, which is looked at afterwards. Anything else is the kind of the error that it
ended in, with Azure's code, and the command that goes on; that the same command then succeeds is looked at, too. For the
table a VM may be silent for 2 s (ssh_timeout), and an operation of Azure's may take 3 s (operation_timeout).

`)
	columns := faultColumns()
	for half := range slices.Chunk(columns, (len(columns)+1)/2) { // a page is not as wide
		b.WriteString("| fault |")
		for _, c := range half {
			fmt.Fprintf(&b, " %s |", c.name)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(half)) + "\n")
		for _, line := range table {
			fmt.Fprintf(&b, "| %s |", line.Fault)
			for _, c := range half {
				fmt.Fprintf(&b, " %s |", strings.ReplaceAll(line.Outcomes[c.name], "|", "\\|"))
			}
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}
