package launch_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/prereq"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// planStages plans and returns the stages that ended well, and the one that failed.
func planStages(ctx context.Context, l *launch.Launcher, r launch.Request) (done []string, failed string, err error) {
	_, err = l.Plan(ctx, r, progress.New(len(launch.Stages()), func(e progress.Event) {
		switch e.Phase {
		case progress.Completed:
			done = append(done, e.Stage.Name)
		case progress.Failed:
			failed = e.Stage.Name
		}
	}))
	return done, failed, err
}

func TestStagesOfAPlan(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{})
	l := c.open(t, "laptop", nil).Launcher
	r := c.request("dev")
	r.Size = "Standard_D4s_v5"
	done, _, err := planStages(t.Context(), l, r)
	if err != nil || !slices.Equal(done, []string{"prerequisites", "sign-in", "ssh-key", "plan"}) {
		t.Errorf("%v, %v", done, err)
	}

	// The default key is thought of in its stage; only what makes the VM writes it.
	r.KeyPath = ""
	l.Defaults.KeyPath = filepath.Join(t.TempDir(), "ssh", "default")
	if done, _, err := planStages(t.Context(), l, r); err != nil || !slices.Contains(done, "ssh-key") {
		t.Fatalf("%v, %v", done, err)
	}
	if _, err := os.Stat(l.Defaults.KeyPath); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a plan has written a key: %v", err)
	}

	// Whose private half is in an agent or on a card has a public one only; none is made beside it.
	if _, err := keypair.GenerateKeyPair(filepath.Dir(l.Defaults.KeyPath), "default"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(l.Defaults.KeyPath); err != nil {
		t.Fatal(err)
	}
	if _, _, err := planStages(t.Context(), l, r); errkind.Of(err) != errkind.Invalid {
		t.Errorf("a key whose private half is nowhere: %v", err)
	}
	if _, err := os.Stat(l.Defaults.KeyPath); err == nil {
		t.Error("a private key was made beside a public one that it does not fit")
	}
}

// TestPrerequisites: a program that the caller will need and that is missing ends the plan before anything is sent.
func TestPrerequisites(t *testing.T) {
	c := newPlanningCloud(t, emulator.Options{})
	client := c.open(t, "laptop", nil)
	r := c.request("dev")
	t.Setenv("PATH", t.TempDir())
	r.Needs = []prereq.Need{prereq.Connect}
	done, failed, err := planStages(t.Context(), client.Launcher, r)
	if !errors.Is(err, prereq.ErrMissing) || errkind.Of(err) != errkind.Prerequisite || failed != "prerequisites" || len(done) > 0 {
		t.Errorf("%v, %q, %v", done, failed, err)
	}
	if n := client.Azure.Requests(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	r.Needs, r.Size = nil, "Standard_D4s_v5"
	if _, _, err := planStages(t.Context(), client.Launcher, r); err != nil {
		t.Errorf("nobody needs ssh: %v", err)
	}
}
