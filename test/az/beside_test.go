//go:build az

package az_test

import (
	"os"
	"os/exec"
	"strings"
)

// besideAzlin has azlin and az look at the same VM: azlin learns the host key of a VM that az made from Azure,
// runs a command on it, and does not take it for its own.
func besideAzlin(c *cli) {
	c.in("az-beside")
	c.az("vm create -g az-beside -n guest --image Ubuntu2204 --size Standard_B1s --admin-username azureuser --ssh-key-values " + c.key + ".pub")
	azlin := func(args ...string) (string, string, int) {
		c.Helper()
		cmd := exec.CommandContext(c.Context(), c.azlin, append([]string{"--context", "emulator"}, args...)...)
		cmd.Env = append(os.Environ(), "AZLIN_CONFIG_DIR="+c.home)
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		_ = cmd.Run() // its exit code tells
		return strings.TrimSpace(out.String()), errs.String(), cmd.ProcessState.ExitCode()
	}
	says := func(want string, args ...string) {
		c.Helper()
		if out, errs, code := azlin(args...); code != 0 || out != want {
			c.Errorf("azlin %q: exit %d, %q, not %q\n%s", args, code, out, want, errs)
		}
	}
	says("0", "list", "-g", "az-beside", "--jq", "length")
	if _, errs, _ := azlin("list", "-g", "az-beside"); !strings.Contains(errs, "1 more") {
		c.Errorf("azlin list does not mention the VM that it does not show: %s", errs)
	}
	says("guest", "exec", "guest", "-g", "az-beside", "--key", c.key, "--", "hostname")
	if _, errs, code := azlin("kill", "guest", "-g", "az-beside", "--yes"); code == 0 || !strings.Contains(errs, "foreign") {
		c.Errorf("azlin deleted a VM that is not its own: %s", errs)
	}
	azlin("adopt", "guest", "-g", "az-beside", "--session", "work")
	says("work", "list", "-g", "az-beside", "--jq", ".[0].session")
	c.equal("tags that az sees", at(c.az("vm show -g az-beside -n guest"), "tags", "managed-by"), "azlin")
	azlin("stop", "guest", "-g", "az-beside")
	c.want("VM deallocated", "vm show -d -g az-beside -n guest --query powerState")
	if _, errs, code := azlin("kill", "guest", "-g", "az-beside", "--yes"); code != 0 {
		c.Errorf("azlin kill: %s", errs)
	}
	c.gone(c.id(vmType, "guest"), computeVersion)
	c.az("group delete -n az-beside --yes --no-wait")
}
