//go:build torture

package image_test

import "testing"

// TestTortureBake cuts a bake off at every request.
func TestTortureBake(t *testing.T) { afterCrashes(t, 0) }
