//go:build unix

// Command bench times the azlin binary that it is given against baselines from the same run, and prints
// a table of medians and ratios. It works in a temporary directory.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

func main() {
	emulator.HostMain() // it is an emulator, too: see scale
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		if err := scaleServe(context.Background(), os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "memory" {
		if err := memory(context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "scale" {
		if err := onlyScale(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	parts := map[string]func(context.Context, runner, rowFunc) error{"reach": reaching, "az": besideOthers, "status": everybody, "realistic": realistic}
	if len(os.Args) == 3 && parts[os.Args[1]] != nil {
		if err := onlyPart(context.Background(), os.Args[2], parts[os.Args[1]]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bench AZLIN, or bench az|reach|status|realistic AZLIN, or bench scale")
		os.Exit(2)
	}
	if err := bench(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// onlyScale is the part of bench that needs no azlin.
func onlyScale(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "azlin-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
	return scale(ctx, dir)
}

// runner runs programs in a home directory of its own.
type runner struct {
	azlin, dir string
}

func (r runner) command(ctx context.Context, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+r.dir, "AZLIN_CONFIG_DIR="+filepath.Join(r.dir, "azlin"), "AZLIN_CONTEXT=emulator")
	return cmd
}

func (r runner) run(ctx context.Context, argv ...string) error {
	out, err := r.command(ctx, argv...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
	}
	return nil
}

// median times n runs of f, after one that does not count.
func median(n int, f func() error) (time.Duration, error) {
	var times []time.Duration
	for i := range n + 1 {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		if i > 0 {
			times = append(times, time.Since(began))
		}
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

func bench(ctx context.Context, azlin string) error {
	azlin, err := filepath.Abs(azlin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "azlin-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
	r := runner{azlin, dir}
	defer func() { _ = r.run(ctx, azlin, "emulator", "stop") }() // it may not have been started
	empty, err := emptyProgram(ctx, r)
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %12s %12s %8s  %s\n", "what", "median", "baseline", "ratio", "baseline is")
	row := func(what string, n int, f func() error, base time.Duration, baseName string) (time.Duration, error) {
		d, err := median(n, f)
		if err != nil {
			return 0, err
		}
		if base == 0 {
			fmt.Printf("%-44s %12s\n", what, d.Round(10*time.Microsecond))
			return d, nil
		}
		fmt.Printf("%-44s %12s %12s %7.2fx  %s\n", what, d.Round(10*time.Microsecond), base.Round(10*time.Microsecond),
			float64(d)/float64(base), baseName)
		return d, nil
	}
	run := func(argv ...string) func() error { return func() error { return r.run(ctx, argv...) } }

	nothing, err := row("an empty Go program", 30, run(empty), 0, "")
	if err != nil {
		return err
	}
	version, err := row("azlin version", 30, run(azlin, "version"), nothing, "an empty Go program")
	if err != nil {
		return err
	}
	_, err = row("emulator: stopped to ready", 5, func() error {
		_ = r.run(ctx, azlin, "emulator", "stop") // it does not run the first time
		return r.run(ctx, azlin, "emulator", "start")
	}, version, "azlin version")
	if err != nil {
		return err
	}
	if err := r.run(ctx, azlin, "new", "--name", "one", "--yes", "--no-auto-connect"); err != nil {
		return err
	}
	one, err := row("azlin list, 1 VM", 15, run(azlin, "list"), version, "azlin version")
	if err != nil {
		return err
	}
	if err := sshRows(ctx, r, row); err != nil {
		return err
	}
	if err := reaching(ctx, r, row); err != nil {
		return err
	}
	n := 0
	if _, err = row("azlin new, without connecting", 5, func() error {
		n++
		return r.run(ctx, azlin, "new", "--name", "vm"+strconv.Itoa(n), "--yes", "--no-auto-connect")
	}, one, "azlin list, 1 VM"); err != nil {
		return err
	}
	if err := r.run(ctx, azlin, "emulator", "seed", "--vms", "500", "--group", "big"); err != nil {
		return err
	}
	if _, err = row("azlin list, 500 VMs", 15, run(azlin, "list"), one, "azlin list, 1 VM"); err != nil {
		return err
	}
	if err := besideAz(ctx, r, 500); err != nil {
		return err
	}
	if err := everybody(ctx, r, row); err != nil {
		return err
	}
	if err := realistic(ctx, r, row); err != nil {
		return err
	}
	_ = r.run(ctx, azlin, "emulator", "stop") // it would use the memory and the processors that are measured
	return scale(ctx, filepath.Join(dir, "scale"))
}

// sshRows compares exec with the system's ssh on the same VM.
func sshRows(ctx context.Context, r runner, row func(string, int, func() error, time.Duration, string) (time.Duration, error)) error {
	out, err := r.command(ctx, r.azlin, "show", "one", "-o", "json").Output()
	if err != nil {
		return err
	}
	var vm struct {
		PublicIP string `json:"public_ip"`
		VMID     string `json:"vm_id"`
	}
	if err := json.Unmarshal(out, &vm); err != nil {
		return err
	}
	out, err = r.command(ctx, r.azlin, "emulator", "status", "-o", "json", "--jq", ".ssh_port").Output()
	if err != nil {
		return err
	}
	plain, err := row("ssh VM true", 15, func() error {
		return r.run(ctx, "ssh", "-o", "UserKnownHostsFile="+filepath.Join(r.dir, "azlin", "known_hosts"),
			"-o", "HostKeyAlias=azlin-"+strings.ToLower(vm.VMID), "-i", filepath.Join(r.dir, ".ssh", "azlin_key"),
			"-p", strings.TrimSpace(string(out)), "azureuser@"+vm.PublicIP, "true")
	}, 0, "")
	if err != nil {
		return err
	}
	_, err = row("azlin exec VM -- true", 15, func() error { return r.run(ctx, r.azlin, "exec", "one", "--", "true") }, plain, "ssh VM true")
	return err
}

func emptyProgram(ctx context.Context, r runner) (string, error) {
	source, binary := filepath.Join(r.dir, "empty.go"), filepath.Join(r.dir, "empty")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, source).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the empty program: %w\n%s", err, out)
	}
	return binary, nil
}
