//go:build unix

package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// everybody times azlin status of 50 VMs, of which two are dead and one is slow, against the slow one alone.
func everybody(ctx context.Context, r runner, row rowFunc) error {
	fmt.Println("\nstatus of many VMs:")
	node := func(name string, more ...string) *exec.Cmd {
		return r.command(ctx, append([]string{r.azlin, "new", "--name", name, "-g", "fleet", "--tools", "none", "--yes", "--no-auto-connect"}, more...)...)
	}
	if out, err := node("node", "--pool", "47").CombinedOutput(); err != nil {
		return fmt.Errorf("a pool: %w\n%s", err, out)
	}
	if out, err := node("slow").CombinedOutput(); err != nil {
		return fmt.Errorf("one more: %w\n%s", err, out)
	}
	for _, name := range []string{"dead-a", "dead-b"} {
		// Who is not admitted hears nothing, as from a dead one.
		if err := node(name, "--ssh-source", "198.51.100.7/32", "--ssh-timeout", "1s").Run(); err == nil {
			return fmt.Errorf("%s lets in who is not admitted", name)
		}
	}
	if err := r.run(ctx, r.azlin, "emulator", "fault", "add", "ssh-delay", "--name", "slow", "--delay", "400ms"); err != nil {
		return err
	}
	look := func(what string, args ...string) func() error {
		return func() error {
			out, err := r.command(ctx, append([]string{r.azlin, "status", "-g", "fleet", "--timeout", "1m", "-o", "json", "--jq"}, args...)...).Output()
			if err == nil && string(out) != what+"\n" {
				err = fmt.Errorf("status: %s have answered", out)
			}
			return err
		}
	}
	const answered = "[.[] | select(.uptime_seconds != null)] | length"
	slow, err := row("azlin status of one slow VM", 5, look("1", answered, "slow"), 0, "")
	if err != nil {
		return err
	}
	all, err := row("azlin status of 50 VMs, 2 dead, 1 slow", 5, look("48", answered), slow, "the slow one alone")
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %12s  (goal: %s at most)\n", "the slowest, and a fifth", all.Round(time.Millisecond), (slow * 6 / 5).Round(time.Millisecond))
	return r.run(ctx, r.azlin, "emulator", "fault", "clear")
}
