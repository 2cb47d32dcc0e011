// Package ratelimit is how many requests Azure takes: Azure Resource Manager's token buckets for each principal and
// subscription, and the windows in which Microsoft.Compute counts groups of operations.
package ratelimit

import (
	"net/http"
	"time"
)

// Options set up Limits.
type Options struct {
	Pace  int  // divides the windows: 100 lets 140 calls per 3 minutes be 140 per 1.8 s
	Off   bool // nothing is refused
	PerVM bool // the calls about each VM are counted, too
}

// Call is what counts of a request.
type Call struct {
	Now          time.Time
	Method       string
	Template     string // of its route; "" when it has none
	Tenant       string
	Subscription string        // "" for what is the tenant's
	Actor        string        // object id of the caller
	Region       func() string // the one whose limits it counts against; "" for lists over regions
	Target       func() string // the key of the VM that it is about, or ""
}

// Refusal is what is said to too many requests.
type Refusal struct {
	Code, Message string
	Header        http.Header
	Group, Detail string // of Compute: the limit, and how it stands as JSON
}
