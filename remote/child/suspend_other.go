//go:build !linux

package child

import (
	"io"
	"os"
)

// FollowSuspension does nothing: only Linux tells of a child that stopped without taking it away from who waits for its
// end.
func FollowSuspension(*os.Process, io.Reader) {}
