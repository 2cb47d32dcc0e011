package local

import (
	"path/filepath"
	"testing"

	"github.com/azlin-dev/azlin/emulator/host"
)

// Hosts makes what emulated VMs run on, in a directory of the test's own, and closes it with the test. Where they cannot
// run, it skips the test.
func Hosts(t *testing.T, o host.Options) *host.Runtime {
	t.Helper()
	o.Dir = filepath.Join(t.TempDir(), "hosts")
	r, err := host.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Available(); err != nil {
		t.Skip("emulated VMs cannot run here: ", err)
	}
	return r
}
