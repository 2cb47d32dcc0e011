// Package activity is the activity log of Azure Monitor: who asked for which change, and how that ended.
//
// It is kept in memory: what happened before the emulator was started is not in it, and of more than a few thousand
// events the oldest go. Azure shows an event minutes after it happened, the emulator at once.
package activity

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/rbac"
)

// kept is how many events there are at most.
const kept = 4000

// age is how old events get in Azure.
const age = 90 * 24 * time.Hour

// Log is the activity log of a server.
type Log struct {
	s      *arm.Server
	caller func(authorization string) (objectID, name string)
	events []event // oldest first
}

// event is one entry.
type event struct {
	at          time.Time
	id          string // of the resource
	operation   string // action: Microsoft.Compute/virtualMachines/write
	status      string // Started, Accepted, Succeeded, Failed
	sub         string // the HTTP status in words
	caller      string
	correlation string
	message     string // JSON of the error; empty: none
}

// Register puts the log beside a server. caller tells whom a token was given to.
func Register(s *arm.Server, caller func(authorization string) (objectID, name string)) *Log {
	l := &Log{s: s, caller: caller}
	s.Observe(l.request, l.end)
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/providers/Microsoft.Insights/eventtypes/management/values", []string{"2015-04-01"}, l.list)
	return l
}

// request notes a change that was asked for. Reading is not in the log.
func (l *Log) request(c *arm.Call, rep *arm.Reply) {
	action := rbac.Action(c.Method, c.Route.Template)
	if c.Method == http.MethodGet || c.Method == http.MethodHead || c.Route.Versions == nil || strings.Contains(strings.ToLower(action), "/validate/") {
		return
	}
	_, name := l.caller(c.Header.Get("Authorization"))
	e := event{
		at: c.Now, id: target(c), operation: action, sub: http.StatusText(rep.Status), caller: name,
		correlation: c.Correlation(), status: "Succeeded",
	}
	switch {
	case rep.Status >= http.StatusBadRequest:
		e.status = "Failed"
		e.message = text(rep.Body)
	case rep.Header.Get("Azure-Asyncoperation") != "" || rep.Header.Get("Location") != "":
		e.status = "Accepted"
	}
	l.add(e)
}

// end notes how an operation ended, under the name and for the caller of the request that began it.
func (l *Log) end(op *arm.Operation) {
	for _, e := range slices.Backward(l.events) {
		if e.status != "Accepted" || resourceid.Key(e.id) != resourceid.Key(op.Target) && !strings.HasPrefix(resourceid.Key(op.Target), resourceid.Key(e.id)+"/") {
			continue
		}
		e.at, e.status, e.sub, e.message = op.End, op.Status, "", ""
		if op.Err != nil {
			e.sub, e.message = "Conflict", text(azjson.Object{"error": op.Err.Object()})
		}
		l.add(e)
		return
	}
}

func (l *Log) add(e event) {
	if len(l.events) >= kept {
		l.events = append(l.events[:0:0], l.events[kept/10:]...)
	}
	l.events = append(l.events, e)
}

// target is the id of the resource that a request is about: what an action is done to.
func target(c *arm.Call) string {
	path := strings.TrimSuffix(c.Path, "/")
	segments := strings.Split(c.Route.Template, "/")
	if last := segments[len(segments)-1]; c.Method == http.MethodPost && !strings.HasPrefix(last, "{") {
		path = path[:strings.LastIndex(path, "/")]
	}
	return path
}

func text(body any) string {
	data, err := json.Marshal(body)
	if err != nil {
		return ""
	}
	return string(data)
}

// list answers with the events that a filter selects, newest first.
func (l *Log) list(c *arm.Call) (*arm.Reply, error) {
	f, err := parse(c.Arg("$filter"))
	if err == nil && c.Now.Sub(f.from) > age+time.Hour {
		err = refuse("The start time cannot be more than 90 days in the past.")
	}
	if err != nil {
		// Unlike everything else, without the envelope and with capitals: as recorded.
		return &arm.Reply{Status: http.StatusBadRequest, Body: azjson.Object{"Code": "BadRequest", "Message": err.Error()}}, nil
	}
	var fields []string
	if selected := c.Arg("$select"); selected != "" {
		fields = strings.Split(selected, ",")
	}
	found := []any{}
	for _, e := range slices.Backward(l.events) {
		if f.selects(e) {
			found = append(found, pick(l.view(e), fields))
		}
	}
	return c.Page(c.Visible("", found)), nil
}

// pick leaves the fields that were asked for; nil: all.
func pick(o azjson.Object, fields []string) azjson.Object {
	if fields == nil {
		return o
	}
	out := azjson.Object{}
	for _, f := range fields {
		for k, v := range o {
			if strings.EqualFold(k, strings.TrimSpace(f)) {
				out[k] = v
			}
		}
	}
	return out
}

func named(value string) azjson.Object { return azjson.Object{"value": value, "localizedValue": value} }

// view is an event as Azure shows it.
func (l *Log) view(e event) azjson.Object {
	id, at := uuid.NewSHA1(uuid.NameSpaceURL, []byte(e.correlation+e.id+e.status+e.at.String())).String(), e.at.UTC().Format("2006-01-02T15:04:05.0000000Z")
	provider, kind, group := place(e.id)
	level := "Informational"
	properties := azjson.Object{"eventCategory": "Administrative", "entity": e.id, "message": e.operation, "hierarchy": l.s.Options().SubscriptionID}
	if e.status == "Failed" {
		level = "Error"
		properties["statusCode"], properties["statusMessage"] = e.sub, e.message
	}
	return azjson.Object{
		"authorization": azjson.Object{"action": e.operation, "scope": e.id}, "caller": e.caller, "channels": "Operation", "claims": azjson.Object{},
		"correlationId": e.correlation, "description": "", "eventDataId": id, "operationId": e.correlation,
		"eventName": azjson.Object{"value": "EndRequest", "localizedValue": "End request"}, "category": named("Administrative"),
		"id":    e.id + "/events/" + id + "/ticks/" + strconv.FormatInt(e.at.Unix()*10_000_000+621355968000000000, 10),
		"level": level, "resourceGroupName": group, "resourceProviderName": named(provider), "resourceId": e.id, "resourceType": named(kind),
		"operationName": named(e.operation), "properties": properties, "status": named(e.status),
		"subStatus": azjson.Object{"value": strings.ReplaceAll(e.sub, " ", ""), "localizedValue": e.sub}, "eventTimestamp": at, "submissionTimestamp": at,
		"subscriptionId": l.s.Options().SubscriptionID,
	}
}

// place reads provider, type and group out of a path.
func place(path string) (provider, kind, group string) {
	id, err := resourceid.Parse(path)
	if err != nil {
		return "Microsoft.Resources", "", ""
	}
	return id.Namespace, id.Type(), id.Group
}
