package emulator

// The ids of the emulated cloud. They are the same everywhere, so that what names them stays valid.
const (
	tenantID       = "7a1d0c2e-5b34-4e0f-9c61-0a2f1b7d9e10"
	subscriptionID = "2f4c9b1a-8d3e-4a57-b6f0-3c5d7e9a1b24"
	clientID       = "c3b7e5d1-6a29-4f80-9e12-8d4b6f0a2c35"
	objectID       = "d9e2f4a6-1b3c-4d5e-8f70-9a1b2c3d4e5f"
	userID         = "e1f3a5b7-2c4d-4e6f-9a8b-0c1d2e3f4a5b"
)

// Identity is the service principal that may sign in.
type Identity struct {
	TenantID       string
	SubscriptionID string
	ClientID       string
	ClientSecret   string // random per state directory
	IdentityHeader string // of the managed identities' endpoint; random per state directory
}

// Identity returns the default service principal.
func (e *Emulator) Identity() Identity { return e.identity }
