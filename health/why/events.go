package why

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
)

// activityVersion is the api-version of the activity log.
const activityVersion = "2015-04-01"

// Event is something that went wrong with a VM, from Azure's activity log.
type Event struct {
	Time        time.Time `json:"time"`      // UTC
	Operation   string    `json:"operation"` // Azure's name of the action: Microsoft.Compute/virtualMachines/start/action
	Caller      string    `json:"caller"`
	Code        string    `json:"code"` // Azure's error code; empty: not told
	Message     string    `json:"message"`
	Correlation string    `json:"correlation_id"`
}

// Failures lists the failed operations on a resource since a time, newest first (eventtypes/management/values; Azure
// keeps 90 days, and shows an event some minutes after it happened). The right it needs is
// Microsoft.Insights/eventtypes/values/read on the subscription.
func Failures(ctx context.Context, c *azure.Client, id string, since time.Time) ([]Event, error) {
	// Azure wants both ends of the time; an hour ahead makes up for a clock that is behind Azure's.
	filter := fmt.Sprintf("eventTimestamp ge '%s' and eventTimestamp le '%s' and resourceUri eq '%s'",
		since.UTC().Format(time.RFC3339), c.Clock().Now().Add(time.Hour).UTC().Format(time.RFC3339), id)
	path := "/subscriptions/" + url.PathEscape(c.SubscriptionID()) + "/providers/Microsoft.Insights/eventtypes/management/values?$filter=" + url.QueryEscape(filter)
	events := []Event{}
	err := c.Page(ctx, path, activityVersion, func(page []byte) error {
		var list struct{ Value []entry }
		if err := json.Unmarshal(page, &list); err != nil {
			return fmt.Errorf("the activity log is not the JSON that was expected: %w", err)
		}
		for _, e := range list.Value {
			if strings.EqualFold(e.Status.Value, "Failed") {
				events = append(events, e.event())
			}
		}
		return nil
	})
	if err != nil {
		return nil, azure.Wrap("read the activity log of", id, err)
	}
	return events, nil
}

// entry is what is read of an event. Values of properties may be anything.
type entry struct {
	EventTimestamp time.Time
	Caller         string
	CorrelationID  string
	OperationName  struct{ Value string }
	Status         struct{ Value string }
	Properties     map[string]any
}

func (e entry) event() Event {
	out := Event{Time: e.EventTimestamp.UTC(), Operation: e.OperationName.Value, Caller: e.Caller, Correlation: e.CorrelationID}
	message, _ := e.Properties["statusMessage"].(string)
	out.Code, out.Message = azureError(message)
	if out.Code == "" {
		out.Code, _ = e.Properties["statusCode"].(string)
	}
	return out
}

// azureError reads the error in a status message, which is the JSON of Azure's envelope as a rule; the innermost of its
// errors says most.
func azureError(text string) (code, message string) {
	type failure struct {
		Code, Message string
		Details       []failure
	}
	var envelope struct {
		failure
		Error failure
	}
	if json.Unmarshal([]byte(text), &envelope) != nil {
		return "", strings.TrimSpace(text)
	}
	f := envelope.Error
	if f.Code == "" {
		f = envelope.failure
	}
	for len(f.Details) > 0 && f.Details[0].Code != "" {
		f = f.Details[0]
	}
	return f.Code, f.Message
}
