//go:build unix

package cli_test

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/test/wait"
)

// installed is a person whose azlin can be a process, which can be killed. What is only asked runs in this process.
type installed struct {
	*person
	azlin string
}

func install(t *testing.T, startArgs ...string) *installed {
	t.Helper()
	azlin, err := exec.LookPath("azlin") // what scripts run, too
	if err != nil {
		t.Fatal(err)
	}
	i := &installed{newPerson(t), azlin}
	i.must(append([]string{"emulator", "start"}, startArgs...)...)
	return i
}

func (i *installed) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(i.t.Context(), i.azlin, args...)
	cmd.Env = i.environ
	return cmd
}

// moments are when azlin can be killed during a run: at each request to Azure, and at each connection to a VM.
type moments struct{ requests, connections int }

// counted runs azlin without disturbing it, and counts.
func (i *installed) counted(args ...string) moments {
	i.t.Helper()
	ctx, dir := i.t.Context(), i.emulatorDir()
	for _, harmless := range []fault.Rule{{ID: "requests", Effect: fault.Slow, Delay: 1}, {ID: "connections", Effect: fault.SSHDelay, Delay: 1}} {
		if _, err := emulator.AddFault(ctx, dir, harmless); err != nil {
			i.t.Fatal(err)
		}
	}
	i.must(args...)
	var m moments
	rules, err := emulator.Faults(ctx, dir)
	if err == nil {
		m = moments{rules[0].Matched, rules[1].Matched}
		_, err = emulator.ClearFaults(ctx, dir)
	}
	if err != nil || m.requests+m.connections < 5 {
		i.t.Fatalf("%q has %+v, %v", args, m, err)
	}
	return m
}

// cutOff kills azlin, and whatever it has started, at one of those moments, by chance: when Azure is asked for something, and
// has done it or not, or when a VM is connected to. It reports whether the run had not ended before.
func (i *installed) cutOff(random *rand.Rand, m moments, args ...string) (cut bool) {
	i.t.Helper()
	ctx, dir := i.t.Context(), i.emulatorDir()
	// From then on nobody gets an answer, as a process that is dead.
	rule := fault.Rule{Effect: fault.SSHHang}
	n := random.IntN(2*m.requests + m.connections)
	switch {
	case n < m.requests:
		rule = fault.Rule{Effect: fault.ResetBefore, Skip: n}
	case n < 2*m.requests:
		rule = fault.Rule{Effect: fault.Slow, Delay: time.Hour, Skip: n - m.requests}
	default:
		rule.Skip = n - 2*m.requests
	}
	if _, err := emulator.AddFault(ctx, dir, rule); err != nil {
		i.t.Fatal(err)
	}
	cmd := i.command(args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	wait.Until(i.t, "the moment, or the end", func() bool {
		rules, err := emulator.Faults(ctx, dir)
		if err != nil {
			i.t.Fatal(err)
		}
		return rules[0].Struck > 0 || len(ended) > 0
	})
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended already
	err := <-ended
	if _, err := emulator.ClearFaults(ctx, dir); err != nil {
		i.t.Fatal(err)
	}
	return err != nil
}

// torture prints the seed of a run, which AZLIN_TORTURE_SEED repeats; AZLIN_TORTURE_ROUNDS replaces rounds.
func torture(t *testing.T, rounds *uint64) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	for _, kv := range config.Environ() {
		for name, value := range map[string]*uint64{"AZLIN_TORTURE_ROUNDS=": rounds, "AZLIN_TORTURE_SEED=": &seed} {
			if s, ok := strings.CutPrefix(kv, name); ok {
				n, err := strconv.ParseUint(s, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				*value = n
			}
		}
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// onlyShared wants nothing to be left but the group and the network that VMs share.
func (i *installed) onlyShared() {
	i.t.Helper()
	var resources map[string]int
	if err := json.Unmarshal([]byte(i.must("emulator", "status", "-o", "json", "--jq", ".resources")), &resources); err != nil {
		i.t.Fatal(err)
	}
	for kind, n := range resources {
		if lower := strings.ToLower(kind); n > 0 && !strings.Contains(lower, "virtualnetworks") && !strings.Contains(lower, "resourcegroups") {
			i.t.Errorf("%d of %s are left over", n, kind)
		}
	}
}

// TestKillsDuringNewAndKill kills azlin at random requests of `new`, runs it again and wants one VM; then the same with
// `kill`, and wants nothing. The seed is printed; AZLIN_TORTURE_SEED repeats a run.
func TestKillsDuringNewAndKill(t *testing.T) {
	t.Parallel()
	killsDuringNewAndKill(t, 15)
}

func killsDuringNewAndKill(t *testing.T, rounds uint64) {
	t.Helper()
	random := torture(t, &rounds)
	i := install(t)
	duringNew := i.counted("new", "--name", "measure", "--tools", "none", "--yes", "--no-auto-connect")
	duringKill := i.counted("kill", "measure", "--yes", "--ignore-not-found")
	cuts := 0
	for round := range rounds {
		name := "vm" + strconv.FormatUint(round, 10)
		create := []string{"new", "--name", name, "--tools", "none", "--yes", "--no-auto-connect"}
		if i.cutOff(random, duringNew, create...) {
			cuts++
		}
		if out, err := i.command(create...).CombinedOutput(); err != nil && !strings.Contains(string(out), "a VM of this name exists") {
			t.Fatalf("round %d: %v\n%s", round, err, out)
		}
		if got := strings.TrimSpace(i.must("list", "--all", "--jq", `[.[].name] | join(" ")`)); got != name {
			t.Fatalf("round %d: the VMs are %q, want %s", round, got, name)
		}
		i.must("exec", name, "--", "true")
		if i.cutOff(random, duringKill, "kill", name, "--yes", "--ignore-not-found") {
			cuts++
		}
		i.must("kill", name, "--yes", "--ignore-not-found")
		i.onlyShared()
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d of %d runs were cut off, the others were done before", cuts, 2*rounds)
	if out := i.must("operations", "list", "-o", "json", "--jq", "length"); strings.TrimSpace(out) != "0" {
		t.Errorf("%s operations are unfinished", out)
	}
}

// TestInterrupt: the first Ctrl-C stops cleanly and says how to go on, the second one stops at once; what was begun
// goes on, or is removed.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	i := install(t, "--realistic") // a VM takes its time there
	interrupted := func(signals int, args ...string) (code int, stderr string) {
		t.Helper()
		cmd := i.command(args...)
		cmd.Stderr = nil
		pipe, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		buffer := make([]byte, 4096)
		sent := 0
		for {
			n, err := pipe.Read(buffer)
			said.Write(buffer[:n])
			creating := strings.Contains(said.String(), "creating vm dev") || strings.Contains(said.String(), "going on with vm dev")
			ready := sent == 0 && creating || sent == 1 && strings.Contains(said.String(), "stopping cleanly")
			if ready && sent < signals {
				sent++
				if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
			}
			if err != nil {
				break
			}
		}
		_ = cmd.Wait() // its state tells
		return cmd.ProcessState.ExitCode(), said.String()
	}
	create := []string{"new", "--name", "dev", "--tools", "none", "--yes", "--no-auto-connect", "--progress", "plain"}
	code, said := interrupted(1, create...)
	if code != 130 || !strings.Contains(said, "interrupted: stopping cleanly; Ctrl-C again stops at once") || !strings.Contains(said, "azlin new --name dev -g azlin-rg") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	if got := i.must("operations", "list", "-o", "json", "--jq", `.[]|.vm+" "+.stage`); strings.TrimSpace(got) != "dev vm" {
		t.Errorf("unfinished: %q", got)
	}
	if code, said = interrupted(2, create...); code == 0 || code == 2 {
		t.Errorf("twice: exit code %d:\n%s", code, said)
	}
	i.must("emulator", "stop")
	i.must("emulator", "start") // the rest need not take as long as in Azure
	i.must("kill", "dev", "--yes", "--ignore-not-found")
	i.onlyShared()
}
