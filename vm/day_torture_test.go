//go:build torture

package vm_test

import (
	"testing"
	"time"
)

// TestTortureADayOfFourUsers is 24 hours of virtual time, several times over with other seeds.
func TestTortureADayOfFourUsers(t *testing.T) {
	for n := range uint64(10) {
		hoursOfFourUsers(t, 24*time.Hour, uint64(time.Now().UnixNano())+n)
	}
}
