package pacing

import "time"

// outage spaces requests while Azure answers none of them: what one refusal makes a request wait says nothing to the
// many others of the same command, whose repeats would come all at once. The zero value is ready for use.
type outage struct {
	refused int       // in a row, of all requests of the client
	next    time.Time // the turn after those that were given
}

const (
	tolerated   = 3 // refusals in a row that can be chance
	firstGap    = 100 * time.Millisecond
	longestGap  = time.Second
	mostDoubled = 5
)

// turn says how long a request waits that had to wait for so long without an outage.
func (o *outage) turn(now time.Time, wait time.Duration) time.Duration {
	if o.refused < tolerated {
		return wait
	}
	at := now.Add(wait)
	if o.next.After(at) {
		at = o.next
	}
	o.next = at.Add(min(firstGap<<min(o.refused-tolerated, mostDoubled), longestGap))
	return at.Sub(now)
}

// learn takes note of an answer, or that there was none.
func (o *outage) learn(refused bool) {
	if !refused {
		*o = outage{}
		return
	}
	o.refused++
}
