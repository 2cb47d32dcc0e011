package pacing

import "time"

// outage shares back-off among all requests of a command while Azure answers none; otherwise their retries would all come at
// once. The zero value is ready for use.
type outage struct {
	refused int       // in a row, over all requests of the client
	next    time.Time // the next free turn
}

const (
	tolerated   = 3 // refusals in a row that may be accidental
	firstGap    = 100 * time.Millisecond
	longestGap  = time.Second
	mostDoubled = 5
)

// turn returns how long a request must wait that would wait for wait without an outage.
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

// learn records an answer, or its absence.
func (o *outage) learn(refused bool) {
	if !refused {
		*o = outage{}
		return
	}
	o.refused++
}
