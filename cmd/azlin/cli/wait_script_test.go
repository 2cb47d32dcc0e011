package cli_test

import (
	"context"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/test/wait"
)

// waitForFault is the command 'struck': it waits until one of the faults has struck.
func waitForFault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: struck")
	}
	wait.Until(ts, "a fault strikes", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		rules, err := emulator.Faults(ctx, emulatorOf(ts))
		return err == nil && slices.ContainsFunc(rules, func(r fault.Rule) bool { return r.Struck > 0 })
	})
}

// waitForFile is the command 'appears FILE REGEXP': it waits until a file holds what matches, which somebody in the background
// writes.
func waitForFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: appears FILE REGEXP")
	}
	want, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	name := ts.MkAbs(args[0])
	var data []byte
	wait.Until(ts, want.String()+" is in "+args[0], func() bool {
		data, err = os.ReadFile(name)
		return err == nil && want.Match(data)
	}, func() string { return "it holds\n" + string(data) })
}

// waitForOutput is the command 'eventually REGEXP COMMAND...': it runs a command until its output matches.
func waitForOutput(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually REGEXP COMMAND...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	wait.Until(ts, want.String()+" is what it prints", func() bool {
		return ts.Exec(args[1], args[2:]...) == nil && want.MatchString(ts.ReadFile("stdout"))
	})
}
