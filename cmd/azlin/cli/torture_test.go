//go:build torture && unix

package cli_test

import "testing"

// TestTortureKillsDuringNewAndKill is TestKillsDuringNewAndKill with 200 rounds. AZLIN_TORTURE_SEED repeats a run,
// AZLIN_TORTURE_ROUNDS shortens it.
func TestTortureKillsDuringNewAndKill(t *testing.T) {
	killsDuringNewAndKill(t, 200)
}

// TestTortureKillsDuringKeyRotation is TestKillsDuringKeyRotation with 200 rounds.
func TestTortureKillsDuringKeyRotation(t *testing.T) {
	killsDuringKeyRotation(t, 200)
}

// TestTortureKillsDuringResize is TestKillsDuringResize with 200 rounds.
func TestTortureKillsDuringResize(t *testing.T) {
	killsDuringResize(t, 200)
}

// TestTortureKillsDuringCleanup is TestKillsDuringCleanup with 200 rounds.
func TestTortureKillsDuringCleanup(t *testing.T) {
	killsDuringCleanup(t, 200)
}

// TestTortureKillsDuringClone is TestKillsDuringClone with 200 rounds.
func TestTortureKillsDuringClone(t *testing.T) {
	killsDuringClone(t, 200)
}
