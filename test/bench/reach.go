//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// rowFunc times f and prints a row of the table.
type rowFunc func(what string, n int, f func() error, base time.Duration, baseName string) (time.Duration, error)

// onlyPart is a part of bench that needs an emulator.
func onlyPart(ctx context.Context, azlin string, part func(context.Context, runner, rowFunc) error) error {
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
	return part(ctx, r, func(what string, n int, f func() error, base time.Duration, baseName string) (time.Duration, error) {
		d, err := median(n, f)
		if err != nil {
			return 0, err
		}
		line(what, d, base, baseName)
		return d, nil
	})
}

func line(what string, d, base time.Duration, baseName string) {
	if base == 0 {
		fmt.Printf("%-44s %12s\n", what, d.Round(10*time.Microsecond))
		return
	}
	fmt.Printf("%-44s %12s %12s %7.2fx  %s\n", what, d.Round(10*time.Microsecond), base.Round(10*time.Microsecond), float64(d)/float64(base), baseName)
}

// reaching compares azlin's ways to VMs with plain ssh, and with a client of Bastion that is not azlin's.
func reaching(ctx context.Context, r runner, row rowFunc) error {
	fmt.Println("\nreaching VMs:")
	for _, args := range [][]string{
		{"new", "--name", "near", "--tools", "none", "--yes", "--no-auto-connect"},
		{"bastion", "create", "--yes"},
		{"new", "--name", "hidden", "--private", "--nat-gateway", "--tools", "none", "--yes", "--no-auto-connect"},
		{"ssh-config", "--yes"},
	} {
		if err := r.run(ctx, append([]string{r.azlin}, args...)...); err != nil {
			return err
		}
	}
	config := filepath.Join(r.dir, ".ssh", "config")
	ssh := func(args ...string) func() error {
		return func() error { return r.run(ctx, append([]string{"ssh", "-F", config}, args...)...) }
	}
	plain, err := row("ssh VM true", 30, ssh("near", "true"), 0, "")
	if err != nil {
		return err
	}
	if err := connecting(ctx, r, row, plain); err != nil {
		return err
	}
	w, err := openWorld(ctx, r)
	if err != nil {
		return err
	}
	if err := reconnecting(ctx, w); err != nil {
		return err
	}
	if err := tunnels(ctx, r, w, row, ssh, plain); err != nil {
		return err
	}
	if err := pooled(ctx, w); err != nil {
		return err
	}
	// With a Bastion in reach, VMs that are made next would be private.
	for _, args := range [][]string{{"kill", "hidden", "--yes"}, {"bastion", "delete", "azlin-vnet-westus2-bastion", "--yes"}} {
		if err := r.run(ctx, append([]string{r.azlin}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

// connecting times azlin connect, and what it adds to ssh: the same with a program in ssh's place that does nothing. The
// difference of the whole would not tell: TCP makes ssh itself wait 40 ms for an acknowledgement, once or twice or not at
// all, as it happens.
func connecting(ctx context.Context, r runner, row rowFunc, plain time.Duration) error {
	connect := []string{r.azlin, "connect", "near", "--", "true"}
	if _, err := row("azlin connect VM -- true", 30, func() error { return r.run(ctx, connect...) }, plain, "ssh VM true"); err != nil {
		return err
	}
	nothing, err := exec.LookPath("true")
	if err != nil {
		return err
	}
	dir := filepath.Join(r.dir, "no-ssh")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Symlink(nothing, filepath.Join(dir, "ssh")); err != nil {
		return err
	}
	added, err := median(30, func() error {
		return r.run(ctx, append([]string{"env", "PATH=" + dir + ":" + os.Getenv("PATH")}, connect...)...)
	})
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %12s  (goal: 50 ms at most)\n", "what azlin connect adds to ssh", added.Round(10*time.Microsecond))
	return nil
}

// world is the emulator as a program of azlin's library sees it.
type world struct {
	*azlin.Client

	dir          string
	near, hidden remote.Host
	status       emulator.Status
}

func openWorld(ctx context.Context, r runner) (*world, error) {
	w := &world{dir: filepath.Join(r.dir, "azlin")}
	var err error
	if w.status, err = emulator.Read(ctx, filepath.Join(w.dir, "emulator")); err != nil {
		return nil, err
	}
	cloud, err := azure.Custom("emulator", w.status.Endpoint, w.status.Endpoint, "", w.status.CAFile)
	if err != nil {
		return nil, err
	}
	auth, err := signin.NewAuthenticator(signin.Options{
		Cloud: cloud, TenantID: w.status.TenantID, SubscriptionID: w.status.SubscriptionID, ClientID: w.status.ClientID, ClientSecretFile: w.status.ClientSecretFile,
	})
	if err != nil {
		return nil, err
	}
	o := azlin.Options{Target: azure.Target{Cloud: cloud, SubscriptionID: w.status.SubscriptionID}, StateDir: w.dir, SSHPort: w.status.SSHPort}
	if o.Credential, err = auth.Credential(); err != nil {
		return nil, err
	}
	if w.Client, err = azlin.Open(o); err != nil { //nolint:contextcheck // the audit log is written even when the caller has given up
		return nil, err
	}
	for name, host := range map[string]*remote.Host{"near": &w.near, "hidden": &w.hidden} {
		match, err := w.VMs.Resolve(ctx, name, "")
		if err != nil {
			return nil, err
		}
		if *host, err = w.Hosts.Host(ctx, match.VM, reach.Options{KeyPath: filepath.Join(r.dir, ".ssh", keypair.DefaultKeyName)}); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// tunnels compares the way through a Bastion with the direct one, and with another client of the same Bastion.
func tunnels(ctx context.Context, r runner, w *world, row rowFunc, ssh func(...string) func() error, plain time.Duration) error {
	const size = 64 << 20
	fetch := fmt.Sprintf("head -c %d /dev/zero", size)
	speed := func(what string, f func() error, than time.Duration) (time.Duration, error) {
		d, err := median(3, f)
		if err != nil {
			return 0, err
		}
		ratio := ""
		if than > 0 {
			ratio = fmt.Sprintf("%7.2fx  ssh VM, directly", float64(d)/float64(than))
		}
		fmt.Printf("%-44s %9.0f MB/s %12s %s\n", what, size/1e6/d.Seconds(), "", ratio)
		return d, nil
	}
	direct, err := speed("64 MiB by ssh VM, directly", ssh("near", fetch), 0)
	if err != nil {
		return err
	}
	if _, err := row("ssh VM true, through azlin proxy", 15, ssh("hidden", "true"), plain, "ssh VM true"); err != nil {
		return err
	}
	if _, err := speed("64 MiB through azlin proxy", ssh("hidden", fetch), direct); err != nil {
		return err
	}
	other, err := otherClient(ctx, r, w)
	if err != nil {
		fmt.Println("another client of Bastion cannot be compared:", err)
		return nil
	}
	if _, err := row("ssh VM true, through tunnel.py", 15, ssh("-o", other, "hidden", "true"), plain, "ssh VM true"); err != nil {
		return err
	}
	_, err = speed("64 MiB through tunnel.py", ssh("-o", other, "hidden", fetch), direct)
	return err
}

// otherClient is the option that makes ssh use test/bastion/tunnel.py.
func otherClient(ctx context.Context, r runner, w *world) (string, error) {
	const python = "/usr/bin/python3"
	if err := r.run(ctx, python, "-c", "import requests, websocket"); err != nil {
		return "", err
	}
	script, err := filepath.Abs("test/bastion/tunnel.py")
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(script); err != nil {
		return "", err
	}
	token, err := w.Azure.AccessToken(ctx)
	if err != nil {
		return "", err
	}
	file := filepath.Join(r.dir, "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		return "", err
	}
	match, err := w.VMs.Resolve(ctx, "hidden", "")
	if err != nil {
		return "", err
	}
	b, err := w.Hosts.Bastion(ctx, match.VM, reach.AnyBastion)
	if err != nil {
		return "", err
	}
	return "ProxyCommand=" + remote.CommandLine([]string{
		python, script, "--bastion", b.DNSName, "--resource", match.VM.ID, "--ca", w.status.CAFile, "--token-file", file,
	}), nil
}

// pooled times fifty connections at once through one pool of tunnels.
func pooled(ctx context.Context, w *world) error {
	match, err := w.VMs.Resolve(ctx, "hidden", "")
	if err != nil {
		return err
	}
	b, err := w.Hosts.Bastion(ctx, match.VM, reach.AnyBastion)
	if err != nil {
		return err
	}
	pool := w.Bastions.NewPool(bastion.PoolOptions{}) //nolint:contextcheck // it lives until it is closed
	defer func() { _ = pool.Close() }()               //nolint:contextcheck // the emulator ends next
	const users = 50
	at := func(h func() (remote.Host, func(), error)) (time.Duration, error) {
		return median(3, func() error {
			g, ctx := errgroup.WithContext(ctx)
			for range users {
				g.Go(func() error {
					h, release, err := h()
					if err != nil {
						return err
					}
					defer release()
					c, err := remote.Dial(ctx, h)
					if err != nil {
						return err
					}
					defer c.Close()
					_, err = c.Output(ctx, "true")
					return err
				})
			}
			return g.Wait()
		})
	}
	direct, err := at(func() (remote.Host, func(), error) { return w.near, func() {}, nil })
	if err != nil {
		return err
	}
	through, err := at(func() (remote.Host, func(), error) {
		t, err := pool.Get(ctx, match.VM.ID, b)
		h := w.hidden
		h.Via, h.Address, h.Port = nil, "127.0.0.1", t.LocalPort
		return h, func() { pool.Release(t.ID) }, err //nolint:contextcheck // giving back has a deadline of its own
	})
	if err != nil {
		return err
	}
	line("50 logins at once through one pool", through, direct, "50 logins at once, directly")
	return nil
}
