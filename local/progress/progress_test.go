package progress_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/local/progress"
)

func TestStagesInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []string
		d := progress.New(3, func(e progress.Event) {
			got = append(got, fmt.Sprintf("%d/%d %s %s %q %s", e.Index, e.Total, e.Stage.Name, e.Phase, e.Message, e.Elapsed))
		})
		d.StartStage(progress.Stage{Name: "network", Description: "making it"})
		time.Sleep(2 * time.Second)
		if err := d.Update("half"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if err := d.CompleteStage(); err != nil {
			t.Error(err)
		}
		d.StartStage(progress.Stage{Name: "vm"})
		time.Sleep(time.Second)
		d.StartStage(progress.Stage{Name: "ssh"}) // completes vm
		if err := d.FailStage("no answer"); err != nil {
			t.Error(err)
		}
		want := []string{
			`1/3 network started "making it" 0s`, `1/3 network updated "half" 2s`, `1/3 network completed "" 3s`,
			`2/3 vm started "" 0s`, `2/3 vm completed "" 1s`, `3/3 ssh started "" 0s`, `3/3 ssh failed "no answer" 0s`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNoStage(t *testing.T) {
	t.Parallel()
	d := progress.New(0, nil)
	for name, f := range map[string]func() error{
		"complete": d.CompleteStage,
		"fail":     func() error { return d.FailStage("x") },
		"skip":     func() error { return d.SkipStage("x") },
		"update":   func() error { return d.Update("x") },
	} {
		if err := f(); !errors.Is(err, progress.ErrNoStage) {
			t.Errorf("%s without a stage: got %v", name, err)
		}
	}
}

// Example is the reference's: three stages of a provisioning.
func Example() {
	p := progress.New(3, func(e progress.Event) {
		if e.Phase == progress.Completed {
			fmt.Printf("%d of %d: %s\n", e.Index, e.Total, e.Stage.Name)
		}
	})
	for _, stage := range []progress.Stage{
		{Name: "Provisioning", Description: "Creating VM resources", EstimatedDuration: 3 * time.Minute},
		{Name: "Installing", Description: "Installing development tools", EstimatedDuration: 2 * time.Minute},
		{Name: "Connecting", Description: "Establishing SSH connection", EstimatedDuration: 10 * time.Second},
	} {
		p.StartStage(stage)
		if err := p.CompleteStage(); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// 1 of 3: Provisioning
	// 2 of 3: Installing
	// 3 of 3: Connecting
}

// TestNilDisplay: whoever wants no progress passes nil.
func TestNilDisplay(t *testing.T) {
	t.Parallel()
	var d *progress.Display
	d.StartStage(progress.Stage{Name: "vm"})
	for _, err := range []error{d.Update("x"), d.CompleteStage(), d.SkipStage("x"), d.FailStage("x")} {
		if err != nil {
			t.Error(err)
		}
	}
}
