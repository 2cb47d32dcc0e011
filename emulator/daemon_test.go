//go:build unix

package emulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/wait"
)

func starter(t *testing.T, dir string) emulator.StartOptions {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return emulator.StartOptions{Dir: dir, Command: []string{"/usr/bin/env", serveEnv + "=" + dir, exe}}
}

func overTLS(t *testing.T, st emulator.Status) *lab {
	t.Helper()
	pem, err := os.ReadFile(st.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	secret, err := os.ReadFile(st.ClientSecretFile)
	if err != nil {
		t.Fatal(err)
	}
	hc := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	t.Cleanup(hc.CloseIdleConnections)
	return connect(t, nil, st.Endpoint, hc, emulator.Identity{TenantID: st.TenantID, SubscriptionID: st.SubscriptionID, ClientID: st.ClientID, ClientSecret: string(secret)})
}

// TestDaemon runs a daemon through start, work, kill, recovery and stop.
func TestDaemon(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := emulator.Read(ctx, dir); !errors.Is(err, emulator.ErrNotRunning) {
		t.Fatalf("Read before Start: %v", err)
	}
	var wg sync.WaitGroup
	var all [4]emulator.Status
	for i := range all {
		wg.Go(func() {
			var err error
			if all[i], err = emulator.Start(ctx, starter(t, dir)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	t.Cleanup(func() { _ = emulator.Stop(context.Background(), dir) })
	for _, st := range all {
		if st.PID != all[0].PID {
			t.Fatalf("two daemons: %d and %d", st.PID, all[0].PID)
		}
	}
	st := all[0]
	l := overTLS(t, st)
	l.network()
	if vm := l.vm("tls"); *vm.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("VM is %s", *vm.Properties.ProvisioningState)
	}
	if err := emulator.Seed(ctx, dir, emulator.SeedOptions{VMs: 20}); err != nil {
		t.Fatal(err)
	}
	// Whatever was acknowledged outlives kill -9, at once.
	proc, err := os.FindProcess(st.PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := proc.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "the killed daemon is gone", func() bool {
		_, err := emulator.Read(ctx, dir)
		return errors.Is(err, emulator.ErrNotRunning)
	})
	again, err := emulator.Start(ctx, starter(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if again.Endpoint != st.Endpoint || again.PID == st.PID {
		t.Errorf("after a crash: %+v, before: %+v", again, st)
	}
	if n := again.Resources["Microsoft.Compute/virtualMachines"]; n != 21 {
		t.Errorf("%d VMs after a crash, not 21", n)
	}
	if _, err := l.vms.Get(ctx, group, "tls", nil); err != nil {
		t.Errorf("an old token and an old client, after a crash: %v", err)
	}
	if err := emulator.Reset(ctx, dir); err != nil {
		t.Fatal(err)
	}
	if st, err := emulator.Read(ctx, dir); err != nil || len(st.Resources) != 0 {
		t.Errorf("after Reset: %v %v", st.Resources, err)
	}
	if err := emulator.Stop(ctx, dir); err != nil {
		t.Fatal(err)
	}
	if err := emulator.Stop(ctx, dir); !errors.Is(err, emulator.ErrNotRunning) {
		t.Errorf("second Stop: %v", err)
	}
	state, err := filepath.Glob(filepath.Join(dir, "state", "*"))
	if err != nil || len(state) < 3 {
		t.Errorf("state files: %q, %v", state, err)
	}
	for i := range state {
		state[i] = filepath.Join("state", filepath.Base(state[i]))
	}
	for _, name := range append(state, "keys.json", "ca-key.pem", "daemon.json", "emulator.log", "client-secret") {
		if fi, err := os.Stat(filepath.Join(dir, name)); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, fi, err)
		}
	}
}

// TestDaemonEndsWithItsDirectory: nobody could find, or stop, an emulator whose directory is deleted. It ends by itself, and
// leaves nothing there.
func TestDaemonEndsWithItsDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	st, err := emulator.Start(ctx, starter(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := emulator.Seed(ctx, dir, emulator.SeedOptions{VMs: 20}); err != nil {
		t.Fatal(err)
	}
	for os.RemoveAll(dir) != nil && ctx.Err() == nil { // it may just be writing
	}
	defer func() { _ = syscall.Kill(st.PID, syscall.SIGKILL) }() // should it go on
	wait.Until(t, "it has ended", func() bool { return syscall.Kill(st.PID, 0) != nil })
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is there again: %v", err)
	}
}

func TestControlNeedsItsToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, err := emulator.Start(t.Context(), starter(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulator.Stop(context.Background(), dir) })
	l := overTLS(t, st)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, st.Endpoint+"/_emulator/stop", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer nonsense")
	resp, err := l.opt.Transport.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("control without its token: %d", resp.StatusCode)
	}
}

func TestServeRefusesOtherInterfaces(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", "192.0.2.1:443", "[::]:0", "example.com:0"} {
		err := emulator.Serve(t.Context(), emulator.ServeOptions{Dir: t.TempDir(), Listen: addr, NoHosts: true})
		if err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestStartReportsWhyItFailed(t *testing.T) {
	t.Parallel()
	_, err := emulator.Start(t.Context(), emulator.StartOptions{Dir: t.TempDir(), Command: []string{"/bin/sh", "-c", "echo out of luck; exit 3"}})
	if err == nil || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("error: %v", err)
	}
}
