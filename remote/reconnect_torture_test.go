//go:build torture && unix

package remote_test

import (
	"testing"
	"time"
)

// TestTortureSessionSurvivesCuts is TestSessionSurvivesCuts, longer.
func TestTortureSessionSurvivesCuts(t *testing.T) {
	survive(t, 200, uint64(time.Now().UnixNano()))
}
