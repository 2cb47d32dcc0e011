//go:build !linux

package child

import (
	"io"
	"os"
)

// FollowSuspension does nothing: on other systems, checking whether a child is stopped would take its exit status from the
// code that waits for it.
func FollowSuspension(*os.Process, io.Reader) {}
