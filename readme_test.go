package azlin_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/vm"
)

// readmeProgram is the program that README.md shows.
func readmeProgram(ctx context.Context, o azlin.ContextOptions) (vm.Listing, error) {
	client, err := azlin.OpenContext(ctx, o)
	if err != nil {
		return vm.Listing{}, err
	}
	running, err := client.VMs.List(ctx, vm.ListOptions{RunningOnly: true})
	return running, err
}

// serveEmulator serves an emulator on a port of this machine, until stop is called.
func serveEmulator(dir string) (address azlin.EmulatorAddress, stop func() error, err error) {
	e, err := emulator.New(emulator.Options{})
	if err != nil {
		return address, nil, err
	}
	server := httptest.NewTLSServer(e)
	stop = func() error {
		server.Close()
		return e.Close()
	}
	id := e.Identity()
	ca, secret := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "secret")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := errors.Join(os.WriteFile(ca, certificate, 0o600), os.WriteFile(secret, []byte(id.ClientSecret), 0o600)); err != nil {
		return address, nil, errors.Join(err, stop())
	}
	return azlin.EmulatorAddress{
		Endpoint: server.URL, CAFile: ca, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: id.ClientID, ClientSecretFile: secret,
	}, stop, nil
}

// filesOfEmulator are a person's files whose current context is in an emulator.
func filesOfEmulator() (context.Context, azlin.ContextOptions, func()) {
	dir, err := os.MkdirTemp("", "azlin-example-")
	check(err)
	address, stop, err := serveEmulator(dir)
	check(err)
	return context.Background(), azlin.ContextOptions{
		Environ:  []string{"HOME=" + dir, "AZLIN_CONTEXT=emulator"},
		Emulator: func(context.Context, string) (azlin.EmulatorAddress, error) { return address, nil },
	}, func() { check(errors.Join(stop(), os.RemoveAll(dir))) }
}

// TestReadmeProgram runs what README.md shows on the emulator, with a person's own files, and holds both texts against each
// other.
func TestReadmeProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	address, stop, err := serveEmulator(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	listing, err := readmeProgram(t.Context(), azlin.ContextOptions{
		Environ: []string{"HOME=" + dir, "AZLIN_CONTEXT=emulator"},
		Emulator: func(context.Context, string) (azlin.EmulatorAddress, error) {
			return address, nil
		},
	})
	if err != nil || len(listing.VMs) != 0 {
		t.Errorf("%v, %v", listing, err)
	}
	if _, err := readmeProgram(t.Context(), azlin.ContextOptions{Environ: []string{"HOME=" + dir, "AZLIN_CONTEXT=emulator"}}); err == nil {
		t.Error("a program that knows no emulator opened one")
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, snippet, _ := strings.Cut(string(readme), "```go\n")
	snippet, _, _ = strings.Cut(snippet, "```")
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(snippet) {
		line = strings.TrimSpace(line)
		line = strings.ReplaceAll(line, "azlin.ContextOptions{}", "o")
		line = strings.ReplaceAll(line, "return err", "return vm.Listing{}, err")
		if !strings.Contains(string(source), line) {
			t.Errorf("README.md shows %q, which is not what is tested", line)
		}
	}
}
