package azure

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Clock is the cloud's clock. For Microsoft's clouds that is this machine's; a custom cloud may have its own (the emulator's
// can be moved), which is read from the Date header of its answers. Use it to compute a resource's age or due time. The
// validity of tokens is measured by this machine's clock.
type Clock struct {
	server bool
	offset atomic.Int64 // nanoseconds that the server's clock is ahead
}

// slack is the difference that network delay and the header's whole seconds can cause.
const slack = 3 * time.Second

// Now is the current time, in UTC. Until a custom cloud has answered once, it is this machine's.
func (c *Clock) Now() time.Time {
	return time.Now().Add(time.Duration(c.offset.Load())).UTC()
}

// observe updates the offset from an answer.
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
