package arm

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// bucket is a token bucket, as Azure Resource Manager has one per subscription, principal and class.
type bucket struct {
	size, perSecond float64
	level           float64
	at              time.Time
}

func (b *bucket) take(now time.Time, pace int) bool {
	if b.at.IsZero() {
		b.level = b.size
	} else if d := now.Sub(b.at).Seconds(); d > 0 {
		b.level = min(b.size, b.level+d*b.perSecond*float64(pace))
	}
	b.at = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// window counts within a fixed time, as Microsoft.Compute does.
type window struct {
	limit int
	span  time.Duration
	used  int
	end   time.Time
}

func (w *window) take(now time.Time, pace int) (wait time.Duration) {
	if !now.Before(w.end) {
		w.used, w.end = 0, now.Add(w.span/time.Duration(pace))
	}
	if w.used >= w.limit {
		return w.end.Sub(now)
	}
	w.used++
	return 0
}

// limits are the rate limits of the one subscription.
type limits struct {
	pace    int
	buckets map[string]*bucket    // reads, writes, deletes
	windows map[string][2]*window // 3 and 30 minutes by Compute's name
}

func newLimits(pace int) limits {
	l := limits{pace: pace, windows: map[string][2]*window{}}
	l.buckets = map[string]*bucket{
		"reads":   {size: 250, perSecond: 25},
		"writes":  {size: 200, perSecond: 10},
		"deletes": {size: 200, perSecond: 10},
	}
	for name, n := range map[string][2]int{
		"PutVM": {240, 1200}, "DeleteVM": {240, 1200}, "UpdateVM": {240, 1200}, "HighCostGet": {140, 700},
		"LowCostGet": {4000, 32000}, "GetOperation": {15000, 30000},
		"HighCostDisk": {240, 1920}, "LowCostDisk": {15000, 120000}, "WriteDisk": {1000, 8000},
	} {
		l.windows[name] = [2]*window{{limit: n[0], span: 3 * time.Minute}, {limit: n[1], span: 30 * time.Minute}}
	}
	return l
}

func (l *limits) subscription(c *Call) *Error {
	if subscriptionOf(c.Path) == "" {
		return nil
	}
	kind := class(c.Method)
	if l.buckets[kind].take(c.Now, l.pace) {
		return nil
	}
	return l.throttled("SubscriptionRequestsThrottled",
		"Number of '"+kind+"' requests for subscription '"+subscriptionOf(c.Path)+"' actor '' exceeded. Please try again after '1' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.",
		time.Second)
}

func (l *limits) throttled(code, message string, wait time.Duration) *Error {
	h := http.Header{"Retry-After": {strconv.Itoa(max(1, int(wait.Round(time.Second)/time.Second)))}}
	if l.pace > 1 {
		h.Set("Retry-After-Ms", strconv.FormatInt(max(20, wait.Milliseconds()/int64(l.pace)), 10))
	}
	return &Error{Status: http.StatusTooManyRequests, Code: code, Message: message, Header: h}
}

// resource counts a call against Compute's own limits.
func (l *limits) resource(c *Call) *Error {
	name := computeClass(c)
	if name == "" {
		return nil
	}
	for i, w := range l.windows[name] {
		if wait := w.take(c.Now, l.pace); wait > 0 {
			e := l.throttled("OperationNotAllowed",
				fmt.Sprintf("The server rejected the request because too many requests have been received for this subscription. (%s%dMin)", name, 3+27*i), wait*time.Duration(l.pace))
			e.Details = []*Error{{
				Code: "TooManyRequests", Target: windowName(name, i),
				Message: fmt.Sprintf(`{"operationGroup":%q,"allowedRequestCount":%d,"measuredRequestCount":%d}`, windowName(name, i), w.limit, w.used+1),
			}}
			if l.pace > 1 {
				e.Header.Set("Retry-After-Ms", strconv.FormatInt(max(20, wait.Milliseconds()), 10))
			}
			return e
		}
	}
	return nil
}

func windowName(name string, i int) string { return name + []string{"3Min", "30Min"}[i] }

// computeClass is the group of operations that Compute counts a call in, or "".
func computeClass(c *Call) string {
	if c.Route == nil || !onCompute(c.Route.Template) {
		return ""
	}
	t := strings.ToLower(c.Route.Template)
	disk := strings.Contains(t, "/disks") || strings.Contains(t, "/snapshots")
	collection := !strings.HasSuffix(t, "}")
	switch {
	case strings.Contains(t, "operations/"):
		return "GetOperation"
	case disk && c.Method == http.MethodGet && collection:
		return "HighCostDisk"
	case disk && c.Method == http.MethodGet:
		return "LowCostDisk"
	case disk:
		return "WriteDisk"
	case !strings.Contains(t, "/virtualmachines"):
		return ""
	case c.Method == http.MethodGet && strings.HasSuffix(t, "/virtualmachines"):
		return "HighCostGet"
	case c.Method == http.MethodGet:
		return "LowCostGet"
	case c.Method == http.MethodPut:
		return "PutVM"
	case c.Method == http.MethodDelete:
		return "DeleteVM"
	}
	return "UpdateVM"
}

// wire is the name that the header gives a class: disks reuse the names of VMs with other limits.
func wire(name string) string {
	switch name {
	case "HighCostDisk":
		return "HighCostGet"
	case "LowCostDisk":
		return "LowCostGet"
	case "WriteDisk":
		return "HighCostSnapshotCreateHydrate"
	}
	return name
}

// report sets the headers that tell what is left.
func (l *limits) report(h http.Header, c *Call) {
	if subscriptionOf(c.Path) == "" {
		return
	}
	kind := class(c.Method)
	b := l.buckets[kind]
	h.Set("X-Ms-Ratelimit-Remaining-Subscription-"+strings.ToUpper(kind[:1])+kind[1:], strconv.Itoa(int(b.level)))
	h.Set("X-Ms-Ratelimit-Remaining-Subscription-Global-"+strings.ToUpper(kind[:1])+kind[1:], strconv.Itoa(int(b.level*15)))
	if name := computeClass(c); name != "" {
		w := l.windows[name]
		h.Set("X-Ms-Ratelimit-Remaining-Resource", fmt.Sprintf("Microsoft.Compute/%s;%d,Microsoft.Compute/%s;%d",
			windowName(wire(name), 0), w[0].limit-w[0].used, windowName(wire(name), 1), w[1].limit-w[1].used))
	}
}
