//go:build torture && unix

package cli_test

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestTortureCuts is the script cuts with 100 cuts of each of its VMs.
func TestTortureCuts(t *testing.T) {
	params := scriptParams()
	params.Files = []string{"testdata/script/cuts.txtar"}
	params.Setup = func(env *testscript.Env) error {
		env.Setenv("CUTS", "100")
		return setup(env)
	}
	testscript.Run(t, params)
}
