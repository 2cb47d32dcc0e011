// Package wait is how tests wait for what they do not cause themselves: they ask again and again until it is so. A fixed
// sleep is too long on a quick machine and too short on a busy one.
package wait

import (
	"strings"
	"time"
)

// Patience is how long anything may take, on a machine that has much else to do.
const Patience = 90 * time.Second

// often is the time between two questions. One that starts a process takes longer by itself.
const often = 5 * time.Millisecond

// Failer is a test, or a script of testscript.
type Failer interface {
	Fatalf(format string, args ...any)
}

// Until asks ok until it says yes. After Patience the test fails with what was waited for, and with what seen returns.
func Until(t Failer, what string, ok func() bool, seen ...func() string) {
	if h, is := t.(interface{ Helper() }); is {
		h.Helper()
	}
	if Within(Patience, ok) {
		return
	}
	said := []string{what}
	for _, f := range seen {
		said = append(said, f())
	}
	t.Fatalf("not within %s: %s", Patience, strings.Join(said, "\n"))
}

// Within asks ok until it says yes, and reports whether it did in that time.
func Within(d time.Duration, ok func() bool) bool {
	tick := time.NewTicker(often)
	defer tick.Stop()
	for deadline := time.Now().Add(d); ; <-tick.C {
		if ok() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
