package change_test

import (
	"maps"
	"testing"

	"github.com/azlin-dev/azlin/change"
)

func TestMark(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		mark      change.Mark
		operation string
	}{
		"new:k3j2:network":                           {change.Mark{Kind: change.New, ID: "k3j2", Step: change.StepNetwork}, "k3j2"},
		"new:clone-0123456789-web-01:done":           {change.Mark{Kind: change.Clone, ID: "clone-0123456789-web-01", Step: change.StepDone}, "clone-0123456789"}, // of an earlier azlin
		"clone:clone-0123456789-web-01:vm":           {change.Mark{Kind: change.Clone, ID: "clone-0123456789-web-01", Step: change.StepVM}, "clone-0123456789"},
		"clone:0123456789:snapshot":                  {change.Mark{Kind: change.Clone, ID: "0123456789", Step: change.StepSnapshot}, "clone-0123456789"},
		"bake:0123456789:snapshot:size=Standard_B2s": {change.Mark{Kind: change.Bake, ID: "0123456789", Step: change.StepSnapshot, With: map[string]string{"size": "Standard_B2s"}}, "bake-0123456789"},
		"bastion:bastion-ab:create:name=a%3Ab&vnet=n": {change.Mark{
			Kind: change.Bastion, ID: "bastion-ab", Step: "create", With: map[string]string{"name": "a:b", "vnet": "n"},
		}, "bastion-ab"},
		"later:x:begun": {change.Mark{Kind: "later", ID: "x", Step: "begun"}, "x"},
	} {
		got, ok := change.ParseMark(text)
		if !ok || got.Kind != want.mark.Kind || got.ID != want.mark.ID || got.Step != want.mark.Step || !maps.Equal(got.With, want.mark.With) || got.Operation() != want.operation {
			t.Errorf("%s: %+v %v, of operation %s", text, got, ok, got.Operation())
		}
	}
	for _, text := range []string{"", "new", "new:x", "new::vm", ":x:vm", "new:x:", "new:x:vm:", "new:x:vm:%zz", "Standard_B2s running"} {
		if got, ok := change.ParseMark(text); ok {
			t.Errorf("%q is a mark: %+v", text, got)
		}
	}
}

func FuzzMark(f *testing.F) {
	f.Add("new:k3j2:network")
	f.Add("clone:0123456789:snapshot:name=web&replicas=3")
	f.Add("new:clone-a-b:vm:a=1&a=2&=")
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := change.ParseMark(text)
		if !ok {
			return
		}
		again, ok := change.ParseMark(m.String())
		if !ok || again.Kind != m.Kind || again.ID != m.ID || again.Step != m.Step || !maps.Equal(again.With, m.With) {
			t.Errorf("%q is %+v, and written %q is %+v, %v", text, m, m.String(), again, ok)
		}
		_ = m.Operation()
	})
}
