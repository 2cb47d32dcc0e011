//go:build !linux

package remote

import (
	"io"
	"os"
)

// followSuspension does nothing: only Linux tells of a child that stopped without taking it away from who waits for its
// end.
func followSuspension(*os.Process, io.Reader) {}
