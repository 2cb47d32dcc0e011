package launch

import (
	"strings"
	"time"

	"github.com/azlin-dev/azlin/local/progress"
)

// Stages are the steps of a launch: first those of Plan, then those of Run. The last one, connecting, is run by the caller.
func Stages() []progress.Stage {
	return []progress.Stage{
		{Name: stagePrerequisites, Description: "checking the programs of this machine", EstimatedDuration: time.Second},
		{Name: stageSignIn, Description: "signing in to Azure", EstimatedDuration: 2 * time.Second},
		{Name: stageKey, Description: "reading the SSH key, or making it", EstimatedDuration: time.Second},
		{Name: stagePlan, Description: "checking size, image, access and names", EstimatedDuration: 5 * time.Second},
		{Name: stageVM, Description: "creating the network and the VM", EstimatedDuration: 75 * time.Second},
		{Name: stageSSH, Description: "waiting for SSH", EstimatedDuration: 25 * time.Second},
		{Name: stageClone, Description: "cloning the repository", EstimatedDuration: 10 * time.Second},
		{Name: stageTools, Description: "installing tools", EstimatedDuration: 5 * time.Minute},
		{Name: stageNotify, Description: "saying that it is ready", EstimatedDuration: time.Second},
		{Name: StageConnect, Description: "connecting", EstimatedDuration: time.Second},
	}
}

// PoolStages are the steps of the launch of a pool.
func PoolStages() []progress.Stage {
	all := Stages()
	all[4].Description = "creating the VMs"
	return all[:5]
}

// The names of the stages.
const (
	stagePrerequisites = "prerequisites"
	stageSignIn        = "sign-in"
	stageKey           = "ssh-key"
	stagePlan          = "plan"
	stageVM            = "vm"
	stageSSH           = "ssh"
	stageClone         = "clone"
	stageTools         = "tools"
	stageNotify        = "notify"
	StageConnect       = "connect"
)

// Connecting begins the last stage. A non-empty skipped marks the stage as skipped, with that reason.
func Connecting(display *progress.Display, to, skipped string) {
	begin(display, StageConnect)
	if skipped != "" {
		_ = display.SkipStage(skipped) // it was started above
		return
	}
	_ = display.Update("connecting to " + to) // as above
}

// begin displays the start of a stage.
func begin(display *progress.Display, name string) {
	for _, s := range Stages() {
		if s.Name == name {
			display.StartStage(s)
		}
	}
}

// failed ends the current stage with the first line of the error, and returns the error.
func failed(display *progress.Display, err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	_ = display.FailStage(line) // the stage is open
	return err
}
