//go:build torture

package cli_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/config"
	"github.com/azlin-dev/azlin/emulator"
)

// TestTortureKillsDuringNewAndKill kills azlin at a random moment of `new`, runs it again and wants one VM;
// then the same with `kill`, and wants nothing. AZLIN_TORTURE_SEED repeats a run, AZLIN_TORTURE_ROUNDS shortens it.
func TestTortureKillsDuringNewAndKill(t *testing.T) {
	rounds, seed := uint64(200), uint64(time.Now().UnixNano())
	for _, kv := range config.Environ() {
		for name, value := range map[string]*uint64{"AZLIN_TORTURE_ROUNDS=": &rounds, "AZLIN_TORTURE_SEED=": &seed} {
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
	random := rand.New(rand.NewPCG(seed, 0))
	home := t.TempDir()
	azlin := filepath.Join(home, "azlin")
	if out, err := exec.Command("go", "build", "-o", azlin, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), azlin, args...)
		cmd.Env = append(os.Environ(), "HOME="+home, "AZLIN_CONFIG_DIR="+filepath.Join(home, ".azlin"), "AZLIN_CONTEXT=emulator")
		return cmd
	}
	must := func(args ...string) string {
		out, err := command(args...).Output()
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		return string(out)
	}
	must("emulator", "start")
	t.Cleanup(func() {
		_ = emulator.Stop(context.Background(), filepath.Join(home, ".azlin", "emulator")) // the directory goes next
	})
	cutOff := func(longest time.Duration, args ...string) {
		cmd := command(args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(longest))))
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended already
		_ = cmd.Wait()                                      // killed, or not
	}
	for round := range rounds {
		name := "vm" + strconv.FormatUint(round, 10)
		cutOff(1500*time.Millisecond, "new", "--name", name, "--yes", "--no-auto-connect")
		if out, err := command("new", "--name", name, "--yes", "--no-auto-connect").CombinedOutput(); err != nil && !strings.Contains(string(out), "a VM of this name exists") {
			t.Fatalf("round %d: %v\n%s", round, err, out)
		}
		if got := strings.TrimSpace(must("list", "--all", "--jq", `[.vms[].name] | join(" ")`)); got != name {
			t.Fatalf("round %d: the VMs are %q, want %s", round, got, name)
		}
		must("exec", name, "--", "true")
		cutOff(800*time.Millisecond, "kill", name, "--yes")
		must("kill", name, "--yes")
		var resources map[string]int
		if err := json.Unmarshal([]byte(must("emulator", "status", "-o", "json", "--jq", ".resources")), &resources); err != nil {
			t.Fatal(err)
		}
		for kind, n := range resources {
			switch lower := strings.ToLower(kind); {
			case n > 0 && !strings.Contains(lower, "virtualnetworks") && !strings.Contains(lower, "resourcegroups"):
				t.Fatalf("round %d: %d of %s are left over", round, n, kind)
			}
		}
	}
}
