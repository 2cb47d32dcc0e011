package activity

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// filter is what the log is asked for. The few conditions that there are can be joined by "and" only.
type filter struct {
	from, to time.Time
	resource string
	group    string
	provider string
	relation string // correlation id
	status   string
}

// refusal is why a request is not answered, in the service's words.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) refusal { return refusal(fmt.Sprintf(format, args...)) }

var condition = regexp.MustCompile(`(?i)^\s*(\w+)\s+(eq|ge|le)\s+'?([^']*?)'?\s*$`)

// separator is "and" between conditions; names and ids hold no such word on its own.
var separator = regexp.MustCompile(`(?i)\s+and\s+`)

func parse(text string) (filter, error) {
	var f filter
	for _, part := range separator.Split(strings.TrimSpace(text), -1) {
		m := condition.FindStringSubmatch(part)
		if m == nil {
			return f, refuse("The $filter '%s' is not valid.", text)
		}
		name, operator, value := strings.ToLower(m[1]), strings.ToLower(m[2]), m[3]
		var at time.Time
		if name == "eventtimestamp" {
			var err error
			if at, err = time.Parse(time.RFC3339Nano, value); err != nil {
				return f, refuse("'%s' is not a time.", value)
			}
		}
		switch name + " " + operator {
		case "eventtimestamp ge":
			f.from = at
		case "eventtimestamp le":
			f.to = at
		case "resourceuri eq", "resourceid eq":
			f.resource = value
		case "resourcegroupname eq":
			f.group = value
		case "resourceprovider eq":
			f.provider = value
		case "correlationid eq":
			f.relation = value
		case "status eq":
			f.status = value
		default:
			return f, refuse("The $filter '%s' is not supported.", part)
		}
	}
	if f.from.IsZero() {
		return f, refuse("The $filter query parameter needs a start time: eventTimestamp ge '...'.")
	}
	if f.to.IsZero() {
		return f, refuse("The $filter query parameter needs an end time: eventTimestamp le '...'.")
	}
	return f, nil
}

func (f filter) selects(e event) bool {
	provider, _, group := place(e.id)
	return !e.at.Before(f.from) && !e.at.After(f.to) &&
		(f.resource == "" || resourceid.Key(f.resource) == resourceid.Key(e.id)) &&
		(f.group == "" || strings.EqualFold(f.group, group)) &&
		(f.provider == "" || strings.EqualFold(f.provider, provider)) &&
		(f.relation == "" || strings.EqualFold(f.relation, e.correlation)) &&
		(f.status == "" || strings.EqualFold(f.status, e.status))
}
