package reach_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// TestAgain asks about a VM that was reached before, through everything that can have happened to it since.
func TestAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bastion("Standard")
	first, err := l.finder.Host(t.Context(), l.vm, reach.Options{KeyPath: l.key})
	if err != nil {
		t.Fatal(err)
	}
	again := l.finder.Again(l.vm, reach.Options{KeyPath: l.key})
	h, err := again(t.Context())
	if err != nil || h.Via == nil || !slices.Equal(h.ProxyCommand, first.ProxyCommand) || h.KeyPath != l.key {
		t.Errorf("as it was: %+v, %v", h, err)
	}
	if _, err := l.finder.VMs.Stop(t.Context(), vm.Ref{ResourceGroup: group, Name: l.vm.Name}, vm.PowerOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := again(t.Context()); !errors.Is(err, reach.ErrStopped) || errkind.Of(err) != errkind.Conflict || !strings.Contains(err.Error(), "it is deallocated") {
		t.Errorf("stopped: %v", err)
	}
	replaced := l.vm
	replaced.VMID = "another"
	if _, err := l.finder.Again(replaced, reach.Options{})(t.Context()); errkind.Of(err) != errkind.Conflict || errors.Is(err, reach.ErrStopped) || !strings.Contains(err.Error(), "another one has its name") {
		t.Errorf("another VM of that name: %v", err)
	}
	gone := l.vm
	gone.Name = "gone"
	if _, err := l.finder.Again(gone, reach.Options{})(t.Context()); errkind.Of(err) != errkind.NotFound {
		t.Errorf("gone: %v", err)
	}
}

// TestConfigured describes VMs that need not run, without a request.
func TestConfigured(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	requests := func() (n int) {
		for _, k := range l.cloud.Counts().Requests {
			n += k
		}
		return n
	}
	if _, err := l.finder.Configured(t.Context(), l.vm, reach.Options{}, false); errkind.Of(err) != errkind.HostKey || !errors.Is(err, remote.ErrHostKey) {
		t.Errorf("no known host key: %v", err)
	}
	known, err := l.finder.Host(t.Context(), publicly(l.vm), reach.Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := requests()
	h, err := l.finder.Configured(t.Context(), l.vm, reach.Options{KeyPath: l.key}, false)
	if err != nil || !slices.Equal(h.ProxyCommand, []string{"/bin/azlin", "", l.vm.ID}) || string(h.HostKey.Marshal()) != string(known.HostKey.Marshal()) {
		t.Errorf("a private one: %+v, %v", h, err)
	}
	stopped := publicly(l.vm)
	stopped.PowerState = vm.Deallocated
	if h, err = l.finder.Configured(t.Context(), stopped, reach.Options{}, false); err != nil || h.Address != "192.0.2.1" || h.ProxyCommand != nil {
		t.Errorf("a public one that is stopped: %+v, %v", h, err)
	}
	if h, err = l.finder.Configured(t.Context(), stopped, reach.Options{}, true); err != nil || len(h.ProxyCommand) != 3 {
		t.Errorf("through the proxy all the same: %+v, %v", h, err)
	}
	f := l.finder
	f.ProxyCommand = nil
	if _, err := f.Configured(t.Context(), l.vm, reach.Options{}, false); errkind.Of(err) != errkind.Unreachable {
		t.Errorf("no way: %v", err)
	}
	if n := requests(); n != before {
		t.Errorf("%d requests were sent", n-before)
	}
}

func publicly(i vm.Info) vm.Info {
	i.PublicIP = "192.0.2.1"
	return i
}
