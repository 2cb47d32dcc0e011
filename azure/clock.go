package azure

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Clock tells the time of the cloud. With Microsoft's clouds that is this machine's; a custom cloud
// may run on a clock of its own (the emulator's can be moved), which the Date header of its answers
// tells. Ask it whenever an age or a due time of a resource is computed; the validity of tokens is
// wall time.
type Clock struct {
	server bool
	offset atomic.Int64 // nanoseconds that the server is ahead
}

// slack is the difference that an answer's way and the header's whole seconds explain.
const slack = 3 * time.Second

// Now is the current time, in UTC. Until a custom cloud has answered once it is this machine's.
func (c *Clock) Now() time.Time {
	return time.Now().Add(time.Duration(c.offset.Load())).UTC()
}

// observe learns from an answer.
func (c *Clock) observe(h http.Header) {
	if !c.server {
		return
	}
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	ahead := time.Until(date)
	if ahead.Abs() < slack {
		ahead = 0
	}
	c.offset.Store(int64(ahead))
}
