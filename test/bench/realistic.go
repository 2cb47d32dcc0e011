//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// criticalPath is what the emulated cloud itself takes for a VM in realistic mode, when nobody loses any time: the
// slowest part of the network, then the VM (see emulator/durations.go).
const criticalPath = 2*time.Second + 45*time.Second

// realistic times a launch stage by stage, and a pool against one VM, in a cloud that takes as long as Azure does.
func realistic(ctx context.Context, r runner, _ rowFunc) error {
	if err := bake(ctx, r); err != nil {
		return err
	}
	_ = r.run(ctx, r.azlin, "emulator", "stop") // as it was started
	if err := r.run(ctx, r.azlin, "emulator", "start", "--realistic"); err != nil {
		return err
	}
	fmt.Println("\nin realistic mode, once each:")
	one, stages, err := launch(ctx, r, "new", "--name", "real", "--tools", "none")
	if err != nil {
		return err
	}
	for _, s := range stages {
		fmt.Printf("  %-42s %12s\n", "azlin new, stage "+s.Stage, s.elapsed().Round(time.Millisecond))
	}
	fmt.Printf("%-44s %12s %12s %7.2fx  %s\n", "azlin new", one.Round(time.Millisecond), criticalPath, float64(one)/float64(criticalPath), "the emulated cloud's own time")
	fmt.Printf("%-44s %12s  (goal: 3 s at most)\n", "azlin's own overhead", (one - criticalPath).Round(time.Millisecond))
	pool, _, err := launch(ctx, r, "new", "--name", "pool", "--pool", "20", "--tools", "none")
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %12s %12s %7.2fx  %s (goal: 1.5x at most)\n", "azlin new --pool 20", pool.Round(time.Millisecond), one.Round(time.Millisecond), float64(pool)/float64(one), "azlin new")
	// Its tools are those of the image: nothing is fetched, and so this is the same in Azure.
	baked, _, err := launch(ctx, r, "new", "--name", "baked", "--image", "base", "--tools", bakedTools, "--wait", "tools")
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %12s %12s %7.2fx  %s (goal: 60 s at most)\n", "azlin new --image, until its tools are there", baked.Round(time.Millisecond), one.Round(time.Millisecond), float64(baked)/float64(one), "azlin new")
	return nil
}

const bakedTools = "git,tmux,ripgrep,gh,go,nodejs,docker"

// bake makes the image base, in a cloud that loses no time.
func bake(ctx context.Context, r runner) error {
	for _, args := range [][]string{
		{"new", "--name", "oven", "--size", "Standard_D2s_v5", "--tools", bakedTools, "--wait", "tools", "--yes", "--no-auto-connect"},
		{"image", "bake", "oven", "--name", "base", "--yes"},
		{"kill", "oven", "--yes"},
	} {
		if err := r.run(ctx, append([]string{r.azlin}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

type stage struct {
	Stage   string  `json:"stage"`
	Phase   string  `json:"phase"`
	Elapsed float64 `json:"elapsed_seconds"`
}

func (s stage) elapsed() time.Duration { return time.Duration(s.Elapsed * float64(time.Second)) }

// launch runs new and returns how long it took, all in all and by stage.
func launch(ctx context.Context, r runner, args ...string) (time.Duration, []stage, error) {
	args = append(append([]string{r.azlin}, args...), "--size", "Standard_D2s_v5", "--yes", "--no-auto-connect", "--progress", "json")
	cmd := r.command(ctx, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, nil, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	took := time.Since(began)
	var stages []stage
	for lines := bufio.NewScanner(&stderr); lines.Scan(); {
		var s stage
		if json.Unmarshal(lines.Bytes(), &s) == nil && s.Phase == "completed" {
			stages = append(stages, s)
		}
	}
	return took, stages, nil
}
