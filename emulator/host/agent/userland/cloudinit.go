//go:build unix

package userland

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
)

const cloudInitUsage = "usage: cloud-init status [--wait] [--long] [--format json|tabular]\n       cloud-init clean [--logs] [--machine-id] [--seed] [--reboot]\n       cloud-init --version\n"

// runCloudInit is the program cloud-init, as far as people ask it how the boot went, and to forget that there was one.
func runCloudInit(args []string) int {
	if len(args) > 0 && args[0] == "clean" {
		return cleanCloudInit(args[1:])
	}
	var wait, long, asJSON bool
	for i, arg := range args {
		switch {
		case i == 0 && (arg == "--version" || arg == "-v"):
			fmt.Println("/usr/bin/cloud-init " + CloudInitVersion)
			return 0
		case i == 0 && arg == "status", arg == "--format", arg == "tabular":
		case arg == "--wait" || arg == "-w":
			wait = true
		case arg == "--long" || arg == "-l":
			long = true
		case arg == "json" || arg == "--format=json":
			asJSON = true
		default:
			fmt.Fprint(os.Stderr, cloudInitUsage)
			return 2
		}
	}
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, cloudInitUsage)
		return 2
	}
	for wait {
		if _, err := os.Stat("/run/cloud-init/result.json"); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return printStatus(long, asJSON)
}

// cleanCloudInit forgets the instance, so that the next boot is a first one.
func cleanCloudInit(args []string) int {
	gone, reboot := []string{}, false
	for _, arg := range args {
		switch arg {
		case "--logs", "-l":
			gone = append(gone, "/var/log/cloud-init.log", "/var/log/cloud-init-output.log")
		case "--seed", "-s":
			gone = append(gone, "/var/lib/cloud/seed")
		case "--machine-id":
			if err := os.WriteFile("/etc/machine-id", []byte("uninitialized\n"), 0o444); err != nil {
				fmt.Fprintf(os.Stderr, "ERROR: Could not remove /etc/machine-id: %v\n", err)
				return 1
			}
		case "--reboot", "-r":
			reboot = true
		default:
			fmt.Fprint(os.Stderr, cloudInitUsage)
			return 2
		}
	}
	entries, err := filepath.Glob("/var/lib/cloud/*")
	for _, path := range append(gone, entries...) {
		if path != "/var/lib/cloud/seed" || slices.Contains(gone, path) {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "ERROR: Could not remove /var/lib/cloud: %v\n", err)
		return 1
	}
	if reboot {
		return runPower("reboot", nil)
	}
	return 0
}

// printStatus prints, and returns 0 for done or running, 1 for errors and 2 for what cloud-init recovered from, as
// cloud-init status does.
func printStatus(long, asJSON bool) int {
	state, code, failures, warnings := "running", 0, []string{}, map[string][]string{}
	var stages StatusFile
	if data, err := account.Tree("").Read("run/cloud-init/status.json"); err == nil && json.Unmarshal(data, &stages) == nil {
		if stages.V1.Final.Warnings != nil {
			warnings = stages.V1.Final.Warnings
		}
	}
	if data, err := account.Tree("").Read("run/cloud-init/result.json"); err == nil {
		var result ResultFile
		if err := json.Unmarshal(data, &result); err != nil {
			fmt.Fprintf(os.Stderr, "cloud-init: result.json: %v\n", err)
			return 1
		}
		state, failures = "done", append(failures, result.V1.Errors...)
	}
	extended := state
	switch {
	case len(failures) > 0:
		extended = "error - " + state
		state, code = "error", 1
	case len(warnings) > 0:
		extended = "degraded " + state
		if state == "done" {
			code = 2
		}
	}
	if asJSON {
		data, err := json.MarshalIndent(map[string]any{
			"boot_status_code": "enabled-by-generator", "datasource": "azure", "detail": DataSource, "errors": failures,
			"extended_status": extended, "init": stages.V1.Init, "init-local": stages.V1.InitLocal, "last_update": UTCNow(),
			"modules-config": stages.V1.Config, "modules-final": stages.V1.Final, "recoverable_errors": warnings,
			"stage": stages.V1.Stage, "status": state,
		}, "", "  ")
		if err != nil {
			return 1
		}
		fmt.Println(string(data))
		return code
	}
	fmt.Println("status: " + state)
	if !long {
		return code
	}
	fmt.Printf("extended_status: %s\nboot_status_code: enabled-by-generator\nlast_update: %s\ndetail: %s\n", extended, UTCNow(), DataSource)
	printList := func(title string, lines []string) {
		if len(lines) == 0 {
			fmt.Println(title + " []")
			return
		}
		fmt.Println(title)
		for _, line := range lines {
			fmt.Println("\t- " + line)
		}
	}
	printList("errors:", failures)
	if len(warnings) == 0 {
		fmt.Println("recoverable_errors: {}")
		return code
	}
	fmt.Println("recoverable_errors:")
	for kind, lines := range warnings {
		printList(kind+":", lines)
	}
	return code
}
