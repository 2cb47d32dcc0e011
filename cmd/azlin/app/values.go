package app

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
)

// Known is nil, null in JSON, for a text that is empty.
func Known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Text is what is known, or nothing.
func Text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Moment is a time for tables, in UTC; empty when it is not known.
func Moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// CountOf is "1 VM" or "2 VMs".
func CountOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// LongDuration reads a duration of Go, or a number of days.
func LongDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n float64
		if n, err = strconv.ParseFloat(days, 64); err == nil && n >= 0 && n <= longestAdvance.Hours()/24 {
			d = time.Duration(n * 24 * float64(time.Hour))
		} else if err == nil {
			d = -1
		}
	}
	if err != nil || d < 0 || d > longestAdvance {
		return 0, errkind.New(errkind.Invalid, "%q is not a duration to move forward by: use 90s, 10m, 36h or 30d", s)
	}
	return d, nil
}

// MonthlyText is a price for people.
func MonthlyText(m *cost.Money) string {
	if m == nil {
		return "price not known"
	}
	return m.Cents()
}

// longestAdvance keeps times within what Azure's dates can hold.
const longestAdvance = 100 * 365 * 24 * time.Hour
