package cloudinit_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/vm/cloudinit"
)

func TestParseRecord(t *testing.T) {
	t.Parallel()
	const plan = `{"plan":["git","docker"],"startup":true,"at":"2026-11-22T10:00:00Z"}` + "\n"
	began := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		file string
		want cloudinit.Record
	}{
		"empty":   {"", cloudinit.Record{}},
		"no plan": {`{"plan":[],"startup":true,"at":"2026-11-22T10:00:00Z"}`, cloudinit.Record{Planned: []string{}, Startup: true, Began: began}},
		"under way": {
			plan + `{"start":"git"}` + "\n" + `{"tool":"git","ok":true,"version":"2.43.0","seconds":1.250,"output":""}` + "\n" + `{"start":"docker"}`,
			cloudinit.Record{
				Planned: []string{"git", "docker"}, Startup: true, Began: began, Current: "docker",
				Results: []cloudinit.ToolResult{{Tool: "git", OK: true, Version: "2.43.0", Seconds: 1.25}},
			},
		},
		"tried again": {
			plan + `{"tool":"docker","ok":false,"version":"","seconds":1,"output":"a\nb"}` + "\n" +
				`{"tool":"docker","ok":true,"version":"28.2.2","seconds":2,"output":""}` + "\n" + `{"end":"2026-11-22T10:01:00Z"}`,
			cloudinit.Record{
				Planned: []string{"git", "docker"}, Startup: true, Began: began, Ended: began.Add(time.Minute),
				Results: []cloudinit.ToolResult{{Tool: "docker", OK: true, Version: "28.2.2", Seconds: 2}},
			},
		},
		"rubbish": {"{\n[]\n{}\nnull\n" + plan, cloudinit.Record{Planned: []string{"git", "docker"}, Startup: true, Began: began, Unparsed: 4}},
	} {
		if diff := cmp.Diff(test.want, cloudinit.ParseRecord([]byte(test.file))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"plan":["git"]}` + "\n" + `{"tool":"git","ok":true}`))
	f.Add([]byte("{\"tool\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := cloudinit.ParseRecord(data)
		seen := map[string]bool{}
		for _, res := range r.Results {
			if res.Tool == "" || seen[res.Tool] {
				t.Errorf("%q twice, or without a name", res.Tool)
			}
			seen[res.Tool] = true
		}
	})
}
