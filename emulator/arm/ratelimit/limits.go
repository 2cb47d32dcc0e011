package ratelimit

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

// fill brings the level up to a time.
func (b *bucket) fill(now time.Time, pace int) {
	if b.at.IsZero() {
		b.level = b.size
	} else if d := now.Sub(b.at).Seconds(); d > 0 {
		b.level = min(b.size, b.level+d*b.perSecond*float64(pace))
	}
	b.at = now
}

// wait is how long it takes until the bucket holds one more.
func (b *bucket) wait() time.Duration {
	return time.Duration((1 - b.level) / b.perSecond * float64(time.Second))
}

// window counts within a fixed time, as Microsoft.Compute does.
type window struct {
	limit int
	span  time.Duration
	used  int
	end   time.Time
}

// wait is how long it takes until the window takes one more; 0: it does now.
func (w *window) wait(now time.Time, pace int) time.Duration {
	if !now.Before(w.end) {
		w.used, w.end = 0, now.Add(w.span/time.Duration(pace))
	}
	if w.used >= w.limit {
		return w.end.Sub(now)
	}
	return 0
}

// Limits are the rate limits of the one subscription. Keys are joined by "|". They are kept by whoever has them locked.
type Limits struct {
	opt       Options
	principal map[string]*bucket    // actor|scope|class
	global    map[string]*bucket    // scope|class: all principals together
	windows   map[string][2]*window // region|class of Compute: 3 and 30 minutes
	vms       map[string]*bucket    // id|class of Compute
}

// New makes limits of which nothing is used up.
func New(opt Options) *Limits {
	return &Limits{
		opt: opt, principal: map[string]*bucket{}, global: map[string]*bucket{}, windows: map[string][2]*window{}, vms: map[string]*bucket{},
	}
}

// scopeOf tells a subscription's limits from the tenant's, which are as large.
func scopeOf(c Call) string {
	if c.Subscription != "" {
		return "subscription"
	}
	return "tenant"
}

// globalShare is how many principals' worth a subscription may use in all.
const globalShare = 15

// counted are the two buckets that a call draws on, as full as they are now.
func (l *Limits) counted(c Call) (own, all *bucket) {
	kind, scope := class(c.Method), scopeOf(c)
	get := func(m map[string]*bucket, key string, share float64) *bucket {
		b := m[key]
		if b == nil {
			b = &bucket{size: 200 * share, perSecond: 10 * share}
			if kind == "reads" {
				b.size, b.perSecond = 250*share, 25*share
			}
			m[key] = b
		}
		b.fill(c.Now, l.opt.Pace)
		return b
	}
	return get(l.principal, c.Actor+"|"+scope+"|"+kind, 1), get(l.global, scope+"|"+kind, globalShare)
}

// Manager counts a call against the limits of Azure Resource Manager.
func (l *Limits) Manager(c Call) *Refusal {
	if l.opt.Off {
		return nil
	}
	own, all := l.counted(c)
	if own.level >= 1 && all.level >= 1 {
		own.level--
		all.level--
		return nil
	}
	wait := time.Second
	kind := class(c.Method)
	if scopeOf(c) == "tenant" {
		return l.throttled("TenantRequestsThrottled",
			"Number of '"+kind+"' requests for tenant '"+c.Tenant+"' actor '"+c.Actor+"' exceeded. Please try again after '1' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.", wait)
	}
	return l.throttled("SubscriptionRequestsThrottled",
		"Number of '"+kind+"' requests for subscription '"+c.Subscription+"' actor '"+c.Actor+"' exceeded. Please try again after '1' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.", wait)
}

// throttled is the refusal that asks to wait, in time as it would pass at a pace of 1.
func (l *Limits) throttled(code, message string, wait time.Duration) *Refusal {
	// Rounded up: who comes back then is let in.
	h := http.Header{"Retry-After": {strconv.Itoa(max(1, int((wait+time.Second-1)/time.Second)))}}
	if l.opt.Pace > 1 {
		h.Set("Retry-After-Ms", strconv.FormatInt(max(20, wait.Milliseconds()/int64(l.opt.Pace)), 10))
	}
	return &Refusal{Code: code, Message: message, Header: h}
}

// Compute counts a call against Microsoft.Compute's own limits. A refused call counts against none.
func (l *Limits) Compute(c Call) *Refusal {
	name := computeClass(c)
	if name == "" || l.opt.Off {
		return nil
	}
	windows := l.regional(c, name)
	for i, w := range windows {
		if wait := w.wait(c.Now, l.opt.Pace); wait > 0 {
			return l.refuse(windowName(name, i), "subscription", w.limit, wait*time.Duration(l.opt.Pace))
		}
	}
	group := name
	vm := l.single(c, group)
	if vm != nil && vm.level < 1 {
		return l.refuse(group+"Resource", "resource", int(vm.size), vm.wait())
	}
	for _, w := range windows {
		w.used++
	}
	if vm != nil {
		vm.level--
	}
	return nil
}

// refuse is Compute's refusal: group is the name of the limit, scope what it is one of.
func (l *Limits) refuse(group, scope string, limit int, wait time.Duration) *Refusal {
	r := l.throttled("OperationNotAllowed",
		fmt.Sprintf("The server rejected the request because too many requests have been received for this %s. (%s)", scope, group), wait)
	r.Group = group
	r.Detail = fmt.Sprintf(`{"operationGroup":%q,"allowedRequestCount":%d,"measuredRequestCount":%d}`, group, limit, limit+1)
	return r
}

// regional are the windows that a class is counted in, one pair for each region.
func (l *Limits) regional(c Call, name string) [2]*window {
	key := c.Region() + "|" + name
	w, ok := l.windows[key]
	if !ok {
		n := regionalLimits(name)
		w = [2]*window{{limit: n[0], span: 3 * time.Minute}, {limit: n[1], span: 30 * time.Minute}}
		l.windows[key] = w
	}
	return w
}

// single is the bucket of the one VM that a call is about, or nil.
func (l *Limits) single(c Call, name string) *bucket {
	size, perMinute := vmLimits(name)
	target := ""
	if l.opt.PerVM && size != 0 {
		target = c.Target()
	}
	if target == "" {
		return nil
	}
	key := target + "|" + name
	b := l.vms[key]
	if b == nil {
		l.sweep(c.Now)
		b = &bucket{size: size, perSecond: perMinute / 60}
		l.vms[key] = b
	}
	b.fill(c.Now, l.opt.Pace)
	return b
}

// manyVMs is how many buckets of VMs are kept before those that are full again go.
const manyVMs = 8192

func (l *Limits) sweep(now time.Time) {
	if len(l.vms) < manyVMs {
		return
	}
	for key, b := range l.vms {
		if b.fill(now, l.opt.Pace); b.level >= b.size {
			delete(l.vms, key)
		}
	}
}

// Report sets the headers that tell what is left.
func (l *Limits) Report(h http.Header, c Call) {
	kind := class(c.Method)
	own, all := l.counted(c)
	title := strings.ToUpper(kind[:1]) + kind[1:]
	if scopeOf(c) == "tenant" {
		h.Set("X-Ms-Ratelimit-Remaining-Tenant-"+title, strconv.Itoa(int(own.level)))
		return
	}
	h.Set("X-Ms-Ratelimit-Remaining-Subscription-"+title, strconv.Itoa(int(own.level)))
	h.Set("X-Ms-Ratelimit-Remaining-Subscription-Global-"+title, strconv.Itoa(int(all.level)))
	if name := computeClass(c); name != "" {
		w := l.regional(c, name)
		h.Set("X-Ms-Ratelimit-Remaining-Resource", fmt.Sprintf("Microsoft.Compute/%s;%d,Microsoft.Compute/%s;%d",
			windowName(wire(name), 0), w[0].limit-w[0].used, windowName(wire(name), 1), w[1].limit-w[1].used))
	}
}
