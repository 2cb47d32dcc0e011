package host

import (
	"errors"
	"os/user"
	"strconv"
)

// The host ids among which the VMs' user is chosen when root runs the emulator: outside of what systems hand
// out, inside of what a container maps.
const (
	firstID = 64077
	lastID  = 64099
)

// unprivilegedID returns the first of these ids that nobody has.
func unprivilegedID() (int, error) {
	for id := firstID; id <= lastID; id++ {
		_, byUser := user.LookupId(strconv.Itoa(id))
		_, byGroup := user.LookupGroupId(strconv.Itoa(id))
		if byUser != nil && byGroup != nil {
			return id, nil
		}
	}
	return 0, errors.New("no free user id for the VMs between 64077 and 64099")
}
