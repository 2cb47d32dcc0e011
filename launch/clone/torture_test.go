//go:build torture

package clone_test

import "testing"

// TestTortureCloneAfterAnyCrash is TestCloneAfterAnyCrash at every request.
func TestTortureCloneAfterAnyCrash(t *testing.T) { afterCrashes(t, 0) }
