package why

import (
	"slices"
	"testing"
)

func TestCloudInitStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, said, state string
		problems          []string
	}{
		{"24.04, well", "status: done\nextended_status: done\nboot_status_code: enabled-by-generator\nerrors: []\nrecoverable_errors: {}\n", "done", nil},
		{"older", "status: running\ntime: Thu\n", "running", nil},
		{
			"errors", "status: error\nextended_status: error - done\ndetail: DataSourceAzure\nerrors:\n\t- ('runcmd', RuntimeError('1 failed'))\n\t- second\nrecoverable_errors: {}\n",
			"error - done",
			[]string{"('runcmd', RuntimeError('1 failed'))", "second"},
		},
		{"degraded", "status: done\nextended_status: degraded done\nerrors: []\nrecoverable_errors:\nWARNING:\n\t- schema\n", "degraded done", nil},
		{"not there", "", "", nil},
	} {
		state, problems := cloudInit(c.said)
		if state != c.state || !slices.Equal(problems, c.problems) {
			t.Errorf("%s: %q, %q", c.name, state, problems)
		}
	}
}

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
	f.Add("status: done\nerrors:\n\t- one\n")
	f.Add(`{"error":{"code":"A","details":[{"code":"B"}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, problems := cloudInit(text)
		if len(problems) > len(text) {
			t.Error("more problems than letters")
		}
		_, _ = azureError(text) // it must not panic
	})
}
