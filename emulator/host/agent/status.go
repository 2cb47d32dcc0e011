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
)

// status is the progress of cloud-init's boot stages, as /run/cloud-init shows it.
type status struct {
	mu     sync.Mutex
	begun  time.Time
	errors []string
}

func newStatus() *status { return &status{begun: time.Now(), errors: []string{}} }

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
	Errors   []string `json:"errors"`
	Start    *float64 `json:"start"`
	Finished *float64 `json:"finished"`
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
	over := func() stage { return stage{Errors: []string{}, Start: &begun, Finished: &now} }
	var f statusFile
	f.V1.DataSource = dataSource
	f.V1.InitLocal, f.V1.Init, f.V1.Config = over(), over(), over()
	f.V1.Final = stage{Errors: m.status.all(), Start: &now}
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

const cloudInitUsage = "usage: cloud-init status [--wait] [--long] [--format json|tabular]\n       cloud-init --version\n"

// runCloudInit is the program cloud-init, as far as people ask it how the boot went.
func runCloudInit(args []string) int {
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

// printStatus prints and returns 0 for done or running, 1 for errors, as cloud-init status does.
func printStatus(long, asJSON bool) int {
	state, code, failures := "running", 0, []string{}
	if data, err := tree("").read("run/cloud-init/result.json"); err == nil {
		var result resultFile
		if err := json.Unmarshal(data, &result); err != nil {
			fmt.Fprintf(os.Stderr, "cloud-init: result.json: %v\n", err)
			return 1
		}
		state, failures = "done", append(failures, result.V1.Errors...)
	}
	if len(failures) > 0 {
		state, code = "error", 1
	}
	if asJSON {
		data, err := json.MarshalIndent(map[string]any{
			"boot_status_code": "enabled-by-generator", "datasource": "azure", "detail": dataSource, "errors": failures,
			"extended_status": state, "recoverable_errors": map[string]any{}, "status": state,
		}, "", "  ")
		if err != nil {
			return 1
		}
		fmt.Println(string(data))
		return code
	}
	fmt.Println("status: " + state)
	if long {
		fmt.Printf("extended_status: %s\ndetail: %s\nerrors: %q\n", state, dataSource, failures)
	}
	return code
}
