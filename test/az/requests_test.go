//go:build az

package az_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator"
)

// countRequests holds a list with power states and addresses of az against azlin's: az asks three times for each VM,
// azlin four times for all.
func countRequests(t *testing.T, w *world) {
	t.Helper()
	const vms = 5
	azlin := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), w.azlin, append([]string{"--context", "emulator"}, args...)...)
		cmd.Env = append(os.Environ(), "AZLIN_CONFIG_DIR="+w.home)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("azlin %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	gets := func() int {
		t.Helper()
		st, err := emulator.Read(t.Context(), filepath.Join(w.home, "emulator"))
		if err != nil {
			t.Fatal(err)
		}
		return st.Requests["GET"]
	}
	azlin("emulator", "seed", "--vms", "5", "--group", "counted")
	azlin("list", "-g", "counted") // signed in
	c := w.cli(t, "az", w.hybrid)
	c.az("account show")
	before := gets()
	if n := len(c.az("vm list -d -g counted").([]any)); n != vms {
		t.Fatalf("az lists %d VMs", n)
	}
	if n := gets() - before; n != 3*vms+1 {
		t.Errorf("az vm list -d of %d VMs took %d requests, not 3N+1", vms, n)
	}
	before = gets()
	azlin("list", "-g", "counted")
	if n := gets() - before; n != 4 {
		t.Errorf("azlin list of %d VMs took %d requests, not 4", vms, n)
	}
}
