//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pages fetches with curl what a list of VMs with states and addresses is made of: four lists at once, each page after
// page. Nothing is parsed beyond the link to the next page.
const pages = `
set -euo pipefail
token=$(curl -sf --cacert "$CA" -d grant_type=client_credentials -d "client_id=$CLIENT" --data-urlencode "client_secret@$SECRET" \
  --data-urlencode scope=https://management.azure.com/.default "$BASE/$TENANT/oauth2/v2.0/token" | jq -r .access_token)
fetch() {
  url=$1
  while [ -n "$url" ]; do
    url=$(curl -sf --cacert "$CA" -H "Authorization: Bearer $token" "$url" | jq -r '.nextLink // empty')
  done
}
s=$BASE/subscriptions/$SUBSCRIPTION/providers
fetch "$s/Microsoft.Compute/virtualMachines?api-version=2024-11-01" &
fetch "$s/Microsoft.Compute/virtualMachines?api-version=2024-11-01&statusOnly=true" &
fetch "$s/Microsoft.Network/networkInterfaces?api-version=2024-05-01" &
fetch "$s/Microsoft.Network/publicIPAddresses?api-version=2024-05-01" &
wait
`

// besideAz times azlin's list of many VMs against the same list of the Azure CLI, and against curl.
func besideAz(ctx context.Context, r runner, vms int) error {
	if _, err := exec.LookPath("az"); err != nil {
		fmt.Println("\naz is not installed: azlin is not compared with it")
		return nil
	}
	environment := `export BASE=$("$AZLIN" emulator status --jq .endpoint) CA=$("$AZLIN" emulator status --jq .ca_file)
export TENANT=$("$AZLIN" emulator status --jq .tenant_id) CLIENT=$("$AZLIN" emulator status --jq .client_id)
export SECRET=$("$AZLIN" emulator status --jq .client_secret_file) SUBSCRIPTION=$("$AZLIN" emulator status --jq .subscription_id)
`
	if err := compare(ctx, r, environment, fmt.Sprintf("%d VMs with states and addresses, once each:", vms)); err != nil {
		return err
	}
	// On this machine an answer takes a few milliseconds; from where people sit, Azure's takes longer.
	if err := r.run(ctx, r.azlin, "emulator", "fault", "add", "slow", "--delay", "40ms"); err != nil {
		return err
	}
	if err := compare(ctx, r, environment, "the same, with every answer 40 ms later:"); err != nil {
		return err
	}
	return r.run(ctx, r.azlin, "emulator", "fault", "clear")
}

// compare prints how long azlin, az and curl take for the list.
func compare(ctx context.Context, r runner, environment, title string) error {
	curl, _, err := r.script(ctx, environment, pages)
	if err != nil {
		return err
	}
	azlin, azlinMemory, err := r.script(ctx, environment, `"$AZLIN" list -o json >/dev/null`)
	if err != nil {
		return err
	}
	az, azMemory, err := r.script(ctx, environment+`eval "$("$AZLIN" emulator env --az)" >/dev/null 2>&1; az vm list -o none -g nothing-there 2>/dev/null || true
`, `az vm list -d -o json >/dev/null`)
	if err != nil {
		return err
	}
	fmt.Println("\n" + title)
	ratio := func(what string, d, base time.Duration, name string) {
		fmt.Printf("%-44s %12s %12s %7.2fx  %s\n", what, d.Round(time.Millisecond), base.Round(time.Millisecond), float64(d)/float64(base), name)
	}
	ratio("azlin list", azlin, curl, "the same pages with curl and jq (goal: 2x at most)")
	ratio("az vm list -d", az, azlin, "azlin list (goal: 100x at least)")
	fmt.Printf("%-44s %9d MB %9d MB\n", "memory: az vm list -d, azlin list", azMemory>>10, azlinMemory>>10)
	return nil
}

// script times a bash script after another one, whose time does not count, and tells the most memory of its children in
// KiB.
func (r runner) script(ctx context.Context, before, line string) (time.Duration, int64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	cmd := r.command(ctx, self, "memory", "bash", "-c", "set -euo pipefail\n"+before+`date +%s%N >&3
`+line+`
date +%s%N >&3
`)
	cmd.Env = append(cmd.Env, "AZLIN="+r.azlin)
	marks, err := marksOf(cmd)
	if err != nil {
		return 0, 0, err
	}
	var kib, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &kib, &text
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("%w\n%s", err, text.Bytes())
	}
	began, ended, err := marks()
	if err != nil {
		return 0, 0, fmt.Errorf("the script did not tell its time: %w", err)
	}
	most, err := strconv.ParseInt(strings.TrimSpace(kib.String()), 10, 64)
	return ended.Sub(began), most, err
}

// memory runs a command, whose output goes to standard error, and prints the most memory that one of its processes had, in
// KiB. What Linux tells of a child includes what its parent had when it began: so this is done by a process that has little.
func memory(ctx context.Context, argv []string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.ExtraFiles = []*os.File{os.NewFile(3, "marks")}
	if err := cmd.Run(); err != nil {
		return err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("this system does not tell the memory of a process")
	}
	_, err := fmt.Println(usage.Maxrss)
	return err
}

// besideOthers is besideAz alone.
func besideOthers(ctx context.Context, r runner, _ rowFunc) error {
	for _, argv := range [][]string{{"emulator", "start"}, {"emulator", "seed", "--vms", "500", "--group", "big"}} {
		if err := r.run(ctx, append([]string{r.azlin}, argv...)...); err != nil {
			return err
		}
	}
	return besideAz(ctx, r, 500)
}
