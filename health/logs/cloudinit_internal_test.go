package logs

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
		{"degraded", "status: done\nextended_status: degraded done\nerrors: []\nrecoverable_errors:\nWARNING:\n\t- schema:\n  line 2\nDEPRECATED:\n\t- old\n", "degraded done", []string{"schema: line 2"}},
		{"not there", "", "", nil},
	} {
		s := ParseCloudInit(c.said)
		if s.State != c.state || !slices.Equal(s.Problems, c.problems) {
			t.Errorf("%s: %q, %q", c.name, s.State, s.Problems)
		}
	}
}

func FuzzCloudInitStatus(f *testing.F) {
	f.Add("status: done\nerrors:\n\t- one\n")
	f.Fuzz(func(t *testing.T, text string) {
		if s := ParseCloudInit(text); len(s.Problems) > len(text) {
			t.Error("more problems than letters")
		}
	})
}
