package status

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	var v VM
	parse("cpu1 cpu  100 0 100 800 0 0 0 0 0 0\ncpu2 cpu  130 0 120 850 0 0 0 0 0 0\nuptime 93784.42 12.00\n"+
		"total 8000000 kB\navailable 6000000 kB\ndisk /dev/root 100 25 50 34% /\n"+
		"session 3 1 1700000000 my work: a b\nsession 1 0 1700000001 azlin\ntmux some\n", &v)
	want := VM{
		Uptime: new(26*time.Hour + 3*time.Minute + 4*time.Second), CPUUsage: new(50.0), MemoryUsage: new(25.0), DiskUsage: new(33.3),
		TmuxSessions: []TmuxSession{
			{Name: "my work: a b", IsConnected: true, NumWindows: 3, Created: time.Unix(1700000000, 0).UTC()},
			{Name: "azlin", NumWindows: 1, Created: time.Unix(1700000001, 0).UTC()},
		},
	}
	if diff := cmp.Diff(want.TmuxSessions, v.TmuxSessions); diff != "" {
		t.Error(diff)
	}
	if *v.Uptime != *want.Uptime || *v.CPUUsage != *want.CPUUsage || *v.MemoryUsage != *want.MemoryUsage || *v.DiskUsage != *want.DiskUsage {
		t.Errorf("%v %v %v %v", *v.Uptime, *v.CPUUsage, *v.MemoryUsage, *v.DiskUsage)
	}
}

// TestUnknownIsNil gives answers that tell nothing, or nonsense.
func TestUnknownIsNil(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"nothing":     "",
		"empty facts": "cpu1 \ncpu2 \nuptime \ntotal \navailable \ndisk \n",
		"nonsense":    "cpu1 cpu a b c d e f\ncpu2 cpu a b c d e f\nuptime -5\ntotal NaN\navailable 3\ndisk a b c d\nsession x y z w\n",
		"zero":        "cpu1 cpu 1 1 1 1 1 1\ncpu2 cpu 1 1 1 1 1 1\ntotal 0\navailable 0\ndisk x 0 0 0 0 /\n",
		"impossible":  "total 5\navailable 10\nuptime 1e300\n",
	} {
		var v VM
		parse(answer, &v)
		if v.Uptime != nil || v.CPUUsage != nil || v.MemoryUsage != nil || v.DiskUsage != nil || v.TmuxSessions != nil {
			t.Errorf("%s: %+v", name, v)
		}
	}
	var v VM
	if parse("tmux none\n", &v); v.TmuxSessions == nil || len(v.TmuxSessions) != 0 {
		t.Errorf("none is known: %v", v.TmuxSessions)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("cpu1 cpu 1 2 3 4 5 6\ncpu2 cpu 2 3 4 5 6 7\nuptime 1.5 2\nsession 1 1 1 a\ntmux some\n")
	f.Fuzz(func(t *testing.T, answer string) {
		var v VM
		parse(answer, &v)
		for _, p := range []*float64{v.CPUUsage, v.MemoryUsage, v.DiskUsage} {
			if p != nil && (*p < 0 || *p > 100) {
				t.Errorf("%v percent", *p)
			}
		}
		if v.Uptime != nil && *v.Uptime < 0 {
			t.Errorf("up for %v", *v.Uptime)
		}
	})
}
