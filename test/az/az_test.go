//go:build az

package az_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator"
)

// serveEnv makes this test binary the daemon that az talks to.
const serveEnv = "AZ_TEST_SERVE"

func TestMain(m *testing.M) {
	emulator.HostMain()
	if dir, ok := os.LookupEnv(serveEnv); ok {
		if err := emulator.Serve(context.Background(), emulator.ServeOptions{Dir: dir, Log: os.Stderr}); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestAzureCLI(t *testing.T) {
	if _, err := exec.LookPath("az"); err != nil {
		t.Skip("az is not installed")
	}
	// Where azlin looks for its emulator, so that both clients talk to the same one.
	home := t.TempDir()
	dir := filepath.Join(home, "emulator")
	azlin := filepath.Join(t.TempDir(), "azlin")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", azlin, "../../cmd/azlin").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	st, err := emulator.Start(t.Context(), emulator.StartOptions{Dir: dir, Command: []string{"/usr/bin/env", serveEnv + "=" + dir, exe}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulator.Stop(context.Background(), dir) })
	cmd := exec.CommandContext(t.Context(), "./az.sh")
	cmd.Env = append(os.Environ(), "BASE="+st.Endpoint, "CA="+st.CAFile, "TENANT="+st.TenantID, "CLIENT_ID="+st.ClientID,
		"SECRET_FILE="+st.ClientSecretFile, "AZURE_CONFIG_DIR="+t.TempDir(), "AZLIN="+azlin, "AZLIN_CONFIG_DIR="+home)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "RECIPE-OK") {
		log, _ := os.ReadFile(filepath.Join(dir, "emulator.log"))
		t.Fatalf("%v\n%s", err, log[max(0, len(log)-8000):])
	}
}
