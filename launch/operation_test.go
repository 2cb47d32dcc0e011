package launch_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/vm/provision"
)

// TestGoingOnKeepsWhatWasAskedFor: a launch that failed is gone on with by its name alone, what is said anew wins, and how
// the VM is reached is decided as one.
func TestGoingOnKeepsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "laptop", nil)
	r := c.request("dev")
	r.Tags, r.Tools, r.SSHSource, r.SSHTimeout = map[string]string{"team": "web"}, []string{}, "203.0.113.0/24", time.Nanosecond
	if _, err := run(t.Context(), client, r); errkind.Of(err) != errkind.Unreachable {
		t.Fatal(err)
	}
	again := func(change func(*launch.Request)) (*launch.Plan, error) {
		r := launch.Request{Config: provision.Config{Name: "dev", ResourceGroup: "g"}}
		change(&r)
		return client.Launcher.Plan(t.Context(), r, progress.New(0, nil))
	}
	plan, err := again(func(*launch.Request) {})
	if err != nil || !plan.Resumes || plan.Config.Tags["team"] != "web" || plan.Config.Size != "Standard_B2s" ||
		plan.Config.SSHSources[0].String() != "203.0.113.0/24" || plan.Setup.Tools == nil {
		t.Errorf("by its name alone: %+v, %v", plan, err)
	}
	if plan, err = again(func(r *launch.Request) { r.SSHSource = "203.0.113.9" }); err != nil || plan.Config.SSHSources[0].String() != "203.0.113.9/32" {
		t.Errorf("said anew: %+v, %v", plan, err)
	}
	if _, err = again(func(r *launch.Request) { r.Private = true }); errkind.Of(err) != errkind.Prerequisite || !strings.Contains(err.Error(), "no Bastion reaches") {
		t.Errorf("to be private now: %v", err)
	}
	result, err := run(t.Context(), client, launch.Request{Config: provision.Config{Name: "dev", ResourceGroup: "g"}})
	if err != nil || result.VM.Tags["team"] != "web" {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestAnInterruptedLaunchHasNotFailed: whoever interrupts it finds it cut off, not failed, and its error says once what it
// was about.
func TestAnInterruptedLaunchHasNotFailed(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "laptop", nil)
	ctx, interrupt := context.WithCancel(t.Context())
	display := progress.New(0, func(e progress.Event) {
		if strings.HasPrefix(e.Message, "creating vm") {
			interrupt()
		}
	})
	plan, err := client.Launcher.Plan(ctx, c.request("dev"), display)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Launcher.Run(ctx, plan, display)
	if errkind.Of(err) != errkind.Cancelled || strings.Count(err.Error(), "create vm dev") != 1 {
		t.Errorf("%v", err)
	}
	all, err := client.Launcher.Operations.List()
	if err != nil || len(all) != 1 || all[0].LastError != "" || all[0].Stage != "vm" {
		t.Errorf("%+v, %v", all, err)
	}
}
