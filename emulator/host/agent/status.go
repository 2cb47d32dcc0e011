//go:build unix

package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
)

// status is the progress of cloud-init's boot stages, as /run/cloud-init shows it.
type status struct {
	mu     sync.Mutex
	begun  time.Time
	errors []string
	warned []string
}

func newStatus() *status { return &status{begun: time.Now(), errors: []string{}} }

// warn records what cloud-init recovered from.
func (s *status) warn(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warned = append(s.warned, text)
}

// recoverable is how status.json lists warnings.
func (s *status) recoverable() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.warned) == 0 {
		return map[string][]string{}
	}
	return map[string][]string{"WARNING": slices.Clone(s.warned)}
}

// fail records an error; the stages go on, as cloud-init's do.
func (s *status) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors = append(s.errors, err.Error())
}

func (s *status) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.errors)
}

const dataSource = "DataSourceAzure [seed=/dev/sr0]"

// stage is the entry of one boot stage in status.json.
type stage struct {
	Errors   []string            `json:"errors"`
	Warnings map[string][]string `json:"recoverable_errors"`
	Start    *float64            `json:"start"`
	Finished *float64            `json:"finished"`
}

// statusFile is status.json.
type statusFile struct {
	V1 struct {
		DataSource string  `json:"datasource"`
		Stage      *string `json:"stage"`
		InitLocal  stage   `json:"init-local"`
		Init       stage   `json:"init"`
		Config     stage   `json:"modules-config"`
		Final      stage   `json:"modules-final"`
	} `json:"v1"`
}

// resultFile is result.json.
type resultFile struct {
	V1 struct {
		DataSource string   `json:"datasource"`
		Errors     []string `json:"errors"`
	} `json:"v1"`
}

// writeStatus writes status.json; done says that the last stage is over.
func (m *machine) writeStatus(done bool) error {
	begun, now := seconds(m.status.begun), seconds(time.Now())
	over := func() stage {
		return stage{Errors: []string{}, Warnings: map[string][]string{}, Start: &begun, Finished: &now}
	}
	var f statusFile
	f.V1.DataSource = dataSource
	f.V1.InitLocal, f.V1.Init, f.V1.Config = over(), over(), over()
	f.V1.Final = stage{Errors: m.status.all(), Warnings: m.status.recoverable(), Start: &now}
	if done {
		f.V1.Final.Start, f.V1.Final.Finished = &begun, &now
	} else {
		name := "modules-final"
		f.V1.Stage = &name
	}
	return m.writeJSON("run/cloud-init/status.json", f)
}

// writeResult writes what exists only once cloud-init has finished.
func (m *machine) writeResult() error {
	var f resultFile
	f.V1.DataSource, f.V1.Errors = dataSource, m.status.all()
	return errors.Join(
		m.writeStatus(true),
		m.writeJSON("run/cloud-init/result.json", f),
		m.write(filepath.Join(m.instance, "boot-finished"), fmt.Sprintf("1.00 - %s - v. %s\n", utcNow(), cloudInitVersion), 0o644),
	)
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

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
			fmt.Println("/usr/bin/cloud-init " + cloudInitVersion)
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
		return runPower(roleReboot, nil)
	}
	return 0
}

// printStatus prints, and returns 0 for done or running, 1 for errors and 2 for what cloud-init recovered from, as
// cloud-init status does.
func printStatus(long, asJSON bool) int {
	state, code, failures, warnings := "running", 0, []string{}, map[string][]string{}
	var stages statusFile
	if data, err := account.Tree("").Read("run/cloud-init/status.json"); err == nil && json.Unmarshal(data, &stages) == nil {
		if stages.V1.Final.Warnings != nil {
			warnings = stages.V1.Final.Warnings
		}
	}
	if data, err := account.Tree("").Read("run/cloud-init/result.json"); err == nil {
		var result resultFile
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
			"boot_status_code": "enabled-by-generator", "datasource": "azure", "detail": dataSource, "errors": failures,
			"extended_status": extended, "init": stages.V1.Init, "init-local": stages.V1.InitLocal, "last_update": utcNow(),
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
	fmt.Printf("extended_status: %s\nboot_status_code: enabled-by-generator\nlast_update: %s\ndetail: %s\n", extended, utcNow(), dataSource)
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
