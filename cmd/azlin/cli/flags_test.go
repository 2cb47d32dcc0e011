package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azlin-dev/azlin/cmd/azlin/cli"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/emulator"
)

// person runs commands in this process, in a home directory and on an emulator of their own.
type person struct {
	t       *testing.T
	home    string
	environ []string
	stdin   string
}

func newPerson(t *testing.T) *person {
	t.Helper()
	p := &person{t: t, home: t.TempDir()}
	p.environ = append(os.Environ(), "HOME="+p.home, "AZLIN_CONFIG_DIR="+filepath.Join(p.home, ".azlin"), "AZLIN_CONTEXT=emulator",
		"GORACE=atexit_sleep_ms=0") // as in the scripts
	t.Cleanup(func() {
		err := emulator.Stop(context.Background(), p.emulatorDir())
		if err != nil && !strings.Contains(err.Error(), emulator.ErrNotRunning.Error()) {
			t.Error(err)
		}
	})
	return p
}

// emulatorDir is the directory of the person's emulator.
func (p *person) emulatorDir() string { return filepath.Join(p.home, ".azlin", "emulator") }

// ran is everything a user sees of a command.
type ran struct {
	code        int
	out, errOut string
}

func (p *person) run(args ...string) ran {
	p.t.Helper()
	return p.runFor(2*time.Minute, args...)
}

// longest is for what takes as long as all the rest together.
const longest = 15 * time.Minute

func (p *person) runFor(limit time.Duration, args ...string) ran {
	p.t.Helper()
	var out, errOut bytes.Buffer
	ctx, cancel := context.WithTimeout(p.t.Context(), limit)
	defer cancel()
	streams := term.Streams{In: strings.NewReader(p.stdin), Out: &out, Err: &errOut}
	code := cli.Main(ctx, args, p.environ, streams)
	return ran{code, out.String(), errOut.String()}
}

func (p *person) must(args ...string) string {
	p.t.Helper()
	r := p.run(args...)
	if r.code != 0 {
		p.t.Fatalf("azlin %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.errOut)
	}
	return r.out
}

// flagCase shows that a flag acts: the command is run without and with it, and what a user can see of the
// two (exit code, output, and the output of probe afterwards) must differ, and match want with the flag.
type flagCase struct {
	without []string // the command line without the flag
	with    []string // appended with the flag
	before  []string // run before each of the two, to make them comparable
	probe   []string // run after each; its output counts
	stdin   string
	want    string // regular expression for what is seen with the flag and not without

	script string // instead: the script that shows it, for flags that act on a terminal only
	as     string // instead: the flag that this one is handed on from, and that has a case of its own
}

// words splits a command line at spaces; no argument here holds one.
func words(s string) []string { return strings.Fields(s) }

// seen runs one side of a case.
func (c flagCase) seen(p *person, flags []string) string {
	p.t.Helper()
	for _, settings := range []string{"config.toml", "contexts.toml"} {
		if err := os.RemoveAll(filepath.Join(p.home, ".azlin", settings)); err != nil {
			p.t.Fatal(err)
		}
	}
	if c.before != nil {
		p.run(p.expand(c.before)...)
	} else if c.without[0] == "new" {
		p.run("kill", "fresh", "--yes")
	}
	p.stdin = c.stdin
	args := p.expand(c.without)
	flags = p.expand(flags)
	if i := slices.Index(args, "--"); i >= 0 {
		args = slices.Concat(args[:i], flags, args[i:])
	} else {
		args = append(args, flags...)
	}
	r := p.run(args...)
	p.stdin = ""
	text := fmt.Sprintf("exit code %d\n%s%s", r.code, r.out, r.errOut)
	if c.probe != nil {
		after := p.run(p.expand(c.probe)...)
		text += "probe:\n" + after.out + after.errOut
	}
	return steady(text)
}

// expand puts the person's home directory in place of {home}.
func (p *person) expand(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		out[i] = strings.ReplaceAll(a, "{home}", p.home)
	}
	return out
}

// steady takes out what differs from run to run by itself.
func steady(s string) string {
	for _, r := range []*regexp.Regexp{
		regexp.MustCompile(`\d+(\.\d+)?(ms|s)\b`), regexp.MustCompile(`"(duration|elapsed)_seconds": ?[0-9.]+`),
		regexp.MustCompile(`\d{4}-\d{2}-\d{2}[T ][0-9:.]+Z?`), regexp.MustCompile(`azlin-vm-\d+`),
		regexp.MustCompile(`127\.77\.\d+\.\d+`), regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}`),
	} {
		s = r.ReplaceAllString(s, "…")
	}
	return s
}

// TestEveryFlagActs walks the whole command tree: every flag of every command has a case, and each case
// shows a difference. A flag that is parsed and ignored cannot pass.
func TestEveryFlagActs(t *testing.T) {
	t.Parallel()
	cases := flagCases()
	var missing []string
	known := map[string]bool{}
	walk(cli.Root(), func(cmd *cobra.Command) {
		visit := func(f *pflag.Flag) {
			key := cmd.CommandPath() + " --" + f.Name
			known[key] = true
			if _, ok := cases[key]; !ok && f.Name != "help" {
				missing = append(missing, key)
			}
		}
		cmd.LocalNonPersistentFlags().VisitAll(visit)
		cmd.PersistentFlags().VisitAll(visit)
	})
	for _, m := range missing {
		t.Errorf("%s has no case in flagCases", m)
	}
	for key := range cases {
		if !known[key] {
			t.Errorf("flagCases has %s, which does not exist", key)
		}
	}
	// Each part has an emulator of its own, so that the parts need not wait for each other.
	keys := sortedKeys(cases)
	const parts = 4
	for part := range slices.Chunk(keys, (len(keys)+parts-1)/parts) {
		t.Run("from_"+strings.ReplaceAll(part[0], " ", "_"), func(t *testing.T) {
			t.Parallel()
			p := newPerson(t)
			p.prepare()
			for _, key := range part {
				t.Run(strings.ReplaceAll(key, " ", "_"), func(t *testing.T) {
					p.t = t
					acts(p, cases, key)
				})
			}
			p.t = t
		})
	}
}

// acts runs a case without its flag and with it.
func acts(p *person, cases map[string]flagCase, key string) {
	t, c := p.t, cases[key]
	t.Helper()
	switch {
	case c.script != "":
		data, err := os.ReadFile("testdata/script/" + c.script + ".txtar")
		if _, flag, _ := strings.Cut(key, " --"); err != nil || !strings.Contains(string(data), "--"+flag) {
			t.Errorf("script %s does not use --%s: %v", c.script, flag, err)
		}
		return
	case c.as != "":
		if _, ok := cases[c.as]; !ok {
			t.Errorf("%s has no case", c.as)
		}
		return
	}
	without, with := c.seen(p, nil), c.seen(p, c.with)
	if strings.HasPrefix(key, "azlin emulator start") {
		p.must("emulator", "stop") // the next case starts one as it is by default
	}
	if without == with {
		t.Errorf("%s changes nothing that can be seen:\n%s", key, with)
	}
	if !regexp.MustCompile(c.want).MatchString(with) {
		t.Errorf("%s: want %s in\n%s", key, c.want, with)
	}
	if regexp.MustCompile(c.want).MatchString(without) {
		t.Errorf("%s: without it %s is seen, too:\n%s", key, c.want, without)
	}
}

func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	if cmd.Name() == "completion" || cmd.Name() == "help" {
		return // cobra's own
	}
	visit(cmd)
	for _, sub := range cmd.Commands() {
		walk(sub, visit)
	}
}

func sortedKeys(m map[string]flagCase) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
