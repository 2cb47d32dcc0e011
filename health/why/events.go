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

// Event is a failed operation in Azure's activity log.
type Event struct {
	Time        time.Time `json:"time"`      // UTC
	Operation   string    `json:"operation"` // Azure's name: Microsoft.Compute/virtualMachines/start/action
	Caller      string    `json:"caller"`
	Code        string    `json:"code"` // Azure's error code; empty: none
	Message     string    `json:"message"`
	Correlation string    `json:"correlation_id"`
}

// Failures lists the failed operations on a resource since a time, newest first (eventtypes/management/values; Azure keeps
// 90 days, with a delay of some minutes). It requires the permission Microsoft.Insights/eventtypes/values/read on the
// subscription.
func Failures(ctx context.Context, c *azure.Client, id string, since time.Time) ([]Event, error) {
	// Azure requires an end of the interval; one hour ahead allows for a slow local clock.
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

// entry holds the used fields of an event. Values of properties may have any type.
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

// azureError parses the error in a status message, normally the JSON of Azure's envelope; the innermost error is the most
// specific.
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
