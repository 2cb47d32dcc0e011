package remote_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

func TestParseForward(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind remote.ForwardKind
		good []string
		bad  []string
	}{
		{remote.LocalForward, []string{
			"8080:localhost:80", "127.0.0.1:8080:web:80", "*:8080:web:80", ":8080:web:80", "[::1]:8080:[fe80::1%eth0]:80",
			"/tmp/here:web:80", "8080:/run/there", "127.0.0.1:8080:/run/there", "/tmp/here:/run/there",
		}, []string{
			"", "8080", "8080:localhost", "8080:localhost:http", "0:localhost:80", "65536:localhost:80", "8080::80", "::1:8080:web:80",
			"[::1:8080:web:80", "[web]:8080:web:80", "8080:local host:80", "8080:web:80\n", "1:2:3:4:5", "-o:8080:web:80", "8080:-x:80", "a:b:c:d", "+1:web:80",
		}},
		{remote.RemoteForward, []string{"9000:localhost:3000", "0:localhost:3000", "9000", "127.0.0.1:9000", "[::]:9000:localhost:3000", "/tmp/there:/tmp/here"}, []string{
			"", "x", "9000:localhost", "9000:localhost:0", "9000:localhost:http",
		}},
		{remote.DynamicForward, []string{"1080", "127.0.0.1:1080", "[::1]:1080", "*:1080"}, []string{"", "0", "1080:web:80", "socks", "/tmp/socks", "localhost:1080:x"}},
	} {
		for _, spec := range test.good {
			f, err := remote.ParseForward(test.kind, spec)
			if err != nil || f != (remote.Forward{Kind: test.kind, Spec: spec}) {
				t.Errorf("-%s %q: %v, %v", test.kind, spec, f, err)
				continue
			}
			if out, err := exec.CommandContext(t.Context(), "ssh", "-G", "-F", "none", "-"+string(test.kind), spec, "host").CombinedOutput(); err != nil {
				t.Errorf("ssh refuses -%s %q: %s", test.kind, spec, out)
			}
		}
		for _, spec := range test.bad {
			if f, err := remote.ParseForward(test.kind, spec); errkind.Of(err) != errkind.Invalid {
				t.Errorf("-%s %q: accepted as %v, %v", test.kind, spec, f, err)
			}
		}
	}
}

// FuzzParseForward holds ParseForward against ssh: what it lets through, ssh understands.
func FuzzParseForward(f *testing.F) {
	for _, spec := range []string{"8080:localhost:80", "1080", "[::1]:8080:web:80", "/a:/b", "0:x:1", "::", "[]", "1:2:3:4"} {
		f.Add("L", spec)
		f.Add("R", spec)
		f.Add("D", spec)
	}
	f.Fuzz(func(t *testing.T, kind, spec string) {
		if !slices.Contains([]string{"L", "R", "D"}, kind) || len(spec) > 200 {
			return
		}
		if _, err := remote.ParseForward(remote.ForwardKind(kind), spec); err != nil {
			return
		}
		if out, err := exec.CommandContext(t.Context(), "ssh", "-G", "-F", "none", "-"+kind, spec, "host").CombinedOutput(); err != nil && !strings.Contains(spec, "%") {
			t.Errorf("ssh refuses -%s %q: %s", kind, spec, out)
		}
	})
}
