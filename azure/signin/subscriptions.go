package signin

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/azlin-dev/azlin/azure"
)

// Subscription is a subscription that the identity can read.
type Subscription struct {
	ID       string `json:"subscriptionId"`
	Name     string `json:"displayName"`
	State    string `json:"state"` // "Enabled", "Warned", "PastDue", "Disabled", "Deleted"
	TenantID string `json:"tenantId"`
}

const subscriptionsVersion = "2022-12-01"

// Subscriptions lists the subscriptions of o.Credential's identity (GET /subscriptions, one request plus one per further
// page). o.Target.SubscriptionID is not needed.
func Subscriptions(ctx context.Context, o azure.Options) ([]Subscription, error) {
	if o.Target.SubscriptionID == "" {
		o.Target.SubscriptionID = "00000000-0000-0000-0000-000000000000" // required by Open, but not used here
	}
	c, err := azure.Open(o)
	if err != nil {
		return nil, err
	}
	var all []Subscription
	err = c.Page(ctx, "/subscriptions", subscriptionsVersion, func(page []byte) error {
		var list struct {
			Value []Subscription `json:"value"`
		}
		if err := json.Unmarshal(page, &list); err != nil {
			return fmt.Errorf("list subscriptions: %w", err)
		}
		all = append(all, list.Value...)
		return nil
	})
	return all, err
}
