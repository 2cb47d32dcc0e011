package vm_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
)

func TestResolveIn(t *testing.T) {
	t.Parallel()
	vms := []vm.Info{
		{Ref: vm.Ref{Name: "alpha", ResourceGroup: "g"}, SessionName: "work", PublicIP: "20.1.2.3", PrivateIP: "10.0.0.4"},
		{Ref: vm.Ref{Name: "work", ResourceGroup: "g"}, SessionName: "play", PublicIP: "20.1.2.4", PrivateIP: "10.0.0.5"},
		{Ref: vm.Ref{Name: "twin", ResourceGroup: "g1"}},
		{Ref: vm.Ref{Name: "twin", ResourceGroup: "g2"}},
		{Ref: vm.Ref{Name: "x1", ResourceGroup: "g"}, SessionName: "shared", PrivateIP: "10.0.0.4"},
		{Ref: vm.Ref{Name: "x2", ResourceGroup: "g"}, SessionName: "shared", PrivateIP: "fd00::1"},
	}
	for _, tc := range []struct{ in, vm, by, tmux string }{
		{"alpha", "alpha", "name", ""},
		{"ALPHA", "alpha", "name", ""},
		{"work", "work", "name", ""}, // a VM's name goes before a session's
		{"play", "work", "session", ""},
		{"alpha:build", "alpha", "name", "build"},
		{"play:a:b", "work", "session", "a:b"},
		{"20.1.2.3", "alpha", "address", ""},
		{"fd00::1", "x2", "address", ""},
	} {
		m, err := vm.ResolveIn(vms, tc.in)
		if err != nil || m.VM.Name != tc.vm || m.By != tc.by || m.TmuxSession != tc.tmux {
			t.Errorf("%s: %+v, %v", tc.in, m, err)
		}
	}
	for _, in := range []string{"alph", "Play", "", "nobody:x", ":", "alpha:", "20.1.2.9"} {
		if m, err := vm.ResolveIn(vms, in); errkind.Of(err) != errkind.NotFound {
			t.Errorf("%q: %+v, %v", in, m, err)
		}
	}
	for in, lists := range map[string]string{"twin": "g1/twin, g2/twin", "shared": "g/x1, g/x2", "twin:t": "g1/twin", "10.0.0.4": "g/alpha, g/x1"} {
		if _, err := vm.ResolveIn(vms, in); errkind.Of(err) != errkind.Conflict || !strings.Contains(err.Error(), lists) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzResolveIn(f *testing.F) {
	f.Add("a:b")
	f.Add("10.0.0.4")
	f.Add("fe80::1%eth0")
	vms := []vm.Info{{Ref: vm.Ref{Name: "a"}, SessionName: "s", PublicIP: "20.1.2.3"}, {Ref: vm.Ref{Name: "b"}, PrivateIP: "garbage"}}
	f.Fuzz(func(t *testing.T, in string) {
		m, err := vm.ResolveIn(vms, in)
		if (err == nil) != (m.VM.Name != "") {
			t.Errorf("%q: %+v, %v", in, m, err)
		}
	})
}

func TestResolveAndGet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		foreign(t, l, "theirs")
		s, c := l.Open()
		cfg := config("mine")
		cfg.SessionName = "my_session"
		d, err := s.Provision(t.Context(), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"mine", "my_session", "mine:main", d.PublicIP, d.PrivateIP} {
			if m, err := s.Resolve(t.Context(), name, ""); err != nil || m.VM.ID != d.ID {
				t.Errorf("%s: %+v, %v", name, m, err)
			}
		}
		if m, err := s.Resolve(t.Context(), "theirs", group); err != nil || m.VM.Managed {
			t.Errorf("a VM that is not azlin's: %+v, %v", m, err)
		}
		if _, err := s.Resolve(t.Context(), "nobody", group); errkind.Of(err) != errkind.NotFound {
			t.Errorf("nobody: %v", err)
		}
		before := c.Requests()
		if i, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "mine"}); err != nil || i.PublicIP != d.PublicIP || c.Requests()-before != 3 {
			t.Errorf("%+v, %v after %d requests", i, err, c.Requests()-before)
		}
		if _, err := s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "nobody"}); errkind.Of(err) != errkind.NotFound {
			t.Errorf("get: %v", err)
		}
	})
}
