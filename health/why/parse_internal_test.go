package why

import (
	"testing"
)

func TestAzuresMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, code, message string }{
		{`{"error":{"code":"AllocationFailed","message":"no room"}}`, "AllocationFailed", "no room"},
		{`{"code":"Conflict","message":"in use"}`, "Conflict", "in use"},
		{`{"error":{"code":"DeploymentFailed","message":"see details","details":[{"code":"SkuNotAvailable","message":"not here"}]}}`, "SkuNotAvailable", "not here"},
		{"plain words\n", "", "plain words"},
		{"", "", ""},
	} {
		if code, message := azureError(c.text); code != c.code || message != c.message {
			t.Errorf("%q: %q, %q", c.text, code, message)
		}
	}
}

func FuzzWhatIsSaid(f *testing.F) {
	f.Add(`{"error":{"code":"A","details":[{"code":"B"}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = azureError(text) // it must not panic
	})
}
