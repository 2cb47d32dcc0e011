//go:build !unix

package software

import (
	"errors"
	"time"
)

func (s *System) lock(string, time.Duration) (release func(), holder int, err error) {
	return nil, 0, errors.New("there are no emulated VMs on this system")
}
