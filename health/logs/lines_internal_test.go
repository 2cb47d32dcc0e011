package logs

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

func TestInstallation(t *testing.T) {
	t.Parallel()
	const plan = `{"plan":["git","docker"],"startup":true,"at":"2026-11-22T10:00:00Z"}` + "\n"
	const git, end = `{"tool":"git","ok":true,"version":"2.43.0","seconds":1}` + "\n", `{"end":"2026-11-22T10:05:00Z"}` + "\n"
	const failed = `{"tool":"docker","ok":false,"seconds":2,"output":"E: x"}` + "\n"
	const docker = `{"tool":"docker","ok":true,"version":"28","seconds":2}` + "\n"
	const startup = `{"tool":"startup-script","ok":true,"seconds":3}` + "\n"
	for name, tt := range map[string]struct {
		read  string
		state State
		tools string // name:state
		err   string
	}{
		"a foreign VM":               {"idle\nbooted\nforeign\n", Unknown, "", "no record"},
		"nothing at all":             {"", Unknown, "", "no record"},
		"cloud-init has not come":    {"idle\nbooting\nexpected\n", Running, "", "has not ended"},
		"it has begun":               {"busy\nbooting\nexpected\n" + plan, Running, "git:waiting docker:waiting startup-script:waiting", "has not ended"},
		"one is there":               {"busy\nbooting\nexpected\n" + plan + git + `{"start":"docker"}`, Running, "git:done docker:running startup-script:waiting", "has not ended"},
		"the tools are":              {"idle\nbooting\nexpected\n" + plan + git + docker + end, Running, "git:done docker:done startup-script:waiting", "has not ended"},
		"all is":                     {"idle\nbooted\nexpected\n" + plan + git + docker + end + startup, Done, "git:done docker:done startup-script:done", ""},
		"one failed":                 {"idle\nbooted\nexpected\n" + plan + git + failed + end + startup, Failed, "git:done docker:failed startup-script:done", "docker failed"},
		"one was left out":           {"idle\nbooted\nexpected\n" + plan + git + end + startup, Failed, "git:done docker:unknown startup-script:done", "docker failed"},
		"cut off":                    {"idle\nbooted\nexpected\n" + plan + git + `{"start":"docker"}`, Interrupted, "git:done docker:interrupted startup-script:waiting", "interrupted; missing: docker, startup-script"},
		"the startup script cut off": {"idle\nbooted\nexpected\n" + plan + git + docker + end + `{"start":"startup-script"}`, Interrupted, "git:done docker:done startup-script:interrupted", "missing: startup-script"},
		"rubbish":                    {"a\nb\nc\nd\n{}", Unknown, "", "no record"},
	} {
		got := parseInstallation([]byte(tt.read))
		var tools []string
		for _, tool := range got.Tools {
			tools = append(tools, tool.Name+":"+string(tool.State))
		}
		if got.State != tt.state || strings.Join(tools, " ") != tt.tools {
			t.Errorf("%s: %s %q", name, got.State, tools)
		}
		err := got.Err("dev")
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || errkind.Of(err) != errkind.Partial) {
			t.Errorf("%s: %v, want %q", name, err, tt.err)
		}
	}
}

// FuzzInstallation checks that nothing a VM may say becomes a success that it did not have.
func FuzzInstallation(f *testing.F) {
	f.Add([]byte("idle\nbooted\nexpected\n{\"plan\":[\"git\"]}\n{\"tool\":\"git\",\"ok\":true}\n{\"end\":\"2026-11-22T10:05:00Z\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		i := parseInstallation(data)
		if i.State != Done {
			return
		}
		for _, tool := range i.Tools {
			if tool.State != Done {
				t.Errorf("done, but %s is %s", tool.Name, tool.State)
			}
		}
		if i.Ended == nil {
			t.Error("done, but not ended")
		}
	})
}

func TestReadRecordIsShell(t *testing.T) {
	t.Parallel()
	for _, want := range []string{cloudinit.RecordFile, cloudinit.RecordLock} {
		if !strings.Contains(readRecord, want) {
			t.Errorf("%s is not read", want)
		}
	}
}

func TestTimeOf(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("", 3600)
	now := time.Date(2027, 1, 1, 0, 30, 0, 0, berlin)
	for line, want := range map[string]string{
		"2026-11-22T23:26:12.696486+00:00 auth sshd[1]: x":         "2026-11-22T23:26:12.696486Z",
		"2026-11-22T23:26:12.696486+0100 auth x":                   "2026-11-22T22:26:12.696486Z",
		"2026-11-22 23:26:12,500 - util.py[DEBUG]: x":              "2026-11-22T22:26:12.5Z",
		"Dec 31 23:59:00 auth sshd[1]: x":                          "2026-12-31T22:59:00Z",
		"Jan  1 00:10:00 auth sshd[1]: x":                          "2026-12-31T23:10:00Z",
		"Traceback (most recent call last):":                       "",
		"":                                                         "",
		"2026-11-22":                                               "",
		"99999999999999999999999999999-01-01T00:00:00Z sshd[1]: x": "",
	} {
		got, ok := timeOf(line, now)
		if ok != (want != "") || ok && got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %s %t, want %s", line, got.UTC().Format(time.RFC3339Nano), ok, want)
		}
	}
}

func FuzzTimeOf(f *testing.F) {
	f.Add("Dec 31 23:59:00 x")
	f.Add("2026-11-22T23:26:12.696486+00:00 x")
	f.Fuzz(func(t *testing.T, line string) {
		now := time.Date(2027, 1, 1, 0, 30, 0, 0, time.UTC)
		if at, ok := timeOf(line, now); ok && at.IsZero() && !strings.HasPrefix(line, "0001") {
			t.Errorf("%q is %s", line, at)
		}
	})
}

func TestAgeFilter(t *testing.T) {
	t.Parallel()
	lines := []string{
		"@1700000000.5 +0100", // 2023-11-14 23:13:20.5
		"2023-11-14 22:00:00,000 - old", "  of old", "2023-11-14 23:10:00,000 - young", "  of young", "2023-11-14T20:00:00Z old again",
	}
	kept := func(since time.Duration, from int) (out []string) {
		filter := ageFilter{since: since}
		for _, l := range lines[from:] {
			if filter.keep(l) {
				out = append(out, l)
			}
		}
		return out
	}
	if diff := cmp.Diff([]string{"2023-11-14 23:10:00,000 - young", "  of young"}, kept(10*time.Minute, 0)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(lines[1:], kept(0, 0)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(lines[1:], kept(time.Minute, 1)); diff != "" { // no clock: nothing can be too old
		t.Error(diff)
	}
}

func TestLineWriter(t *testing.T) {
	t.Parallel()
	var got []string
	w := &lineWriter{emit: func(line string) { got = append(got, line) }}
	for _, piece := range []string{"a\nb", "c\r\n", "\n", strings.Repeat("x", maxLine) + "yy", "\nend"} {
		if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Error(n, err)
		}
	}
	w.end()
	want := []string{"a", "bc", "", strings.Repeat("x", maxLine), "yy", "end"}
	if !slices.Equal(got, want) {
		t.Errorf("%d lines: %.200q", len(got), got)
	}
}

func TestAdded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789\n", 100)
	for name, tt := range map[string]struct{ seen, now, want string }{
		"at first":              {"", "a\nb\n", "a\nb\n"},
		"more":                  {"a\n", "a\nb\n", "b\n"},
		"nothing":               {"a\n", "a\n", ""},
		"the beginning dropped": {"x\n" + long + "end\n", long + "end\nnew\n", "new\n"},
		"another boot":          {"old\n", "boot\nagain\n", "boot\nagain\n"},
	} {
		if got := string(added([]byte(tt.seen), []byte(tt.now))); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	for _, s := range Sources() {
		if got, err := ParseSource(string(s)); err != nil || got != s {
			t.Errorf("%s: %v", s, err)
		}
	}
	if _, err := ParseSource("x"); errkind.Of(err) != errkind.Invalid {
		t.Error(err)
	}
	for s, o := range map[Source]Options{CloudInitOutput: {Since: time.Second}, Serial: {}, ToolsRecord: {}} {
		if _, err := Read(t.Context(), nil, s, o); errkind.Of(err) != errkind.Invalid { // before anything is run
			t.Errorf("%s: %v", s, err)
		}
	}
}
