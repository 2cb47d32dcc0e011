package emulator

import "fmt"

// Throttle says how strict the emulated cloud's rate limits are. The zero value has Azure's limits per principal,
// subscription and region, of which as much as Azure gives back in 100 s is given back in one, because operations are
// as fast, too; Compute's limits per VM do not count then. With Options.Realistic it is ThrottleAzure.
type Throttle string

// The other ways.
const (
	ThrottleAzure Throttle = "azure" // Azure's limits, those per VM among them, at Azure's pace
	ThrottleOff   Throttle = "off"   // nothing is refused for being too much
)

// Validate finds values that there are not.
func (t Throttle) Validate() error {
	_, err := t.pace(false)
	return err
}

// fastPace is how many times as fast as Azure's the limits recover where operations are fast.
const fastPace = 100

// pace is how many times as fast as Azure's the limits recover; 0: there are none.
func (t Throttle) pace(realistic bool) (int, error) {
	switch t {
	case "":
		if realistic {
			return 1, nil
		}
		return fastPace, nil
	case ThrottleAzure:
		return 1, nil
	case ThrottleOff:
		return 0, nil
	}
	return 0, fmt.Errorf("throttle %q: use %s or %s", string(t), ThrottleAzure, ThrottleOff)
}

// actor is whose limits a request counts against.
func (e *Emulator) actor(authorization string) string {
	id, _ := e.entra.Caller(authorization)
	return id
}
