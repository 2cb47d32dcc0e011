package vm_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// somebodysVMs are VMs of two groups; "them" is not azlin's.
func somebodysVMs() []vm.Info {
	make := func(name, group, session string, state vm.PowerState, tags ...string) vm.Info {
		i := vm.Info{
			Ref: vm.Ref{Name: name, ResourceGroup: group}, SessionName: session, PowerState: state, ID: "/" + group + "/" + name, Managed: name != "them",
			VMSize: "Standard_D2s_v5", Location: "westus2", Tags: map[string]string{"azlin-owner": "ann"},
		}
		for _, tag := range tags {
			name, value, _ := strings.Cut(tag, "=")
			i.Tags[name] = value
		}
		return i
	}
	live := make("live", "prod", "front", vm.Running, "env=prod", "azlin-protected=yes")
	live.PublicIP, live.VMSize = "203.0.113.7", "Standard_B2s"
	return []vm.Info{
		make("web-01", "team", "", vm.Running, "env=dev", "azlin-pool=web"),
		make("web-02", "team", "", vm.Deallocated, "env=dev", "azlin-pool=web"),
		make("dev", "team", "work", vm.Running, "azlin-owner=bob"),
		make("them", "team", "", vm.Running, "env=dev"),
		live,
	}
}

func selectors(t *testing.T, texts ...string) []vm.Selector {
	t.Helper()
	var all []vm.Selector
	for _, text := range texts {
		s, err := vm.ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// TestSelect: who is chosen, in which order, who is left out, and what a wrong name says.
func TestSelect(t *testing.T) {
	t.Parallel()
	idle := func(_ context.Context, all []vm.Info) (map[string]bool, error) {
		found := map[string]bool{}
		for _, i := range all {
			found[i.ID] = i.Name == "dev" || i.Name == "live"
		}
		return found, nil
	}
	running := func(i vm.Info) string {
		if i.IsRunning() {
			return ""
		}
		return "it is " + string(i.PowerState)
	}
	for name, tc := range map[string]struct {
		q       vm.Query
		want    string // names, in order
		left    string // name: reason
		kind    errkind.Kind
		message string
	}{
		"a name":                        {q: vm.Query{Names: []string{"dev"}}, want: "dev"},
		"names know no case":            {q: vm.Query{Names: []string{"DEV"}}, want: "dev"},
		"a session":                     {q: vm.Query{Names: []string{"front"}}, want: "live"},
		"an address":                    {q: vm.Query{Names: []string{"203.0.113.7"}}, want: "live"},
		"vm:session":                    {q: vm.Query{Names: []string{"dev:build"}}, want: "dev"},
		"the order of the names, once":  {q: vm.Query{Names: []string{"live", "dev", "front"}}, want: "live dev"},
		"the group first, then all":     {q: vm.Query{Names: []string{"live"}, Group: "team"}, want: "live"},
		"a pattern":                     {q: vm.Query{Names: []string{"web-*"}}, want: "web-01 web-02"},
		"a pattern over sessions":       {q: vm.Query{Names: []string{"wor?"}}, want: "dev"},
		"a pattern in the group only":   {q: vm.Query{Names: []string{"li*"}, Group: "team"}, kind: errkind.NotFound, message: `no VM has a name or session like "li*" in resource group team`},
		"all":                           {q: vm.Query{All: true}, want: "web-01 web-02 dev live"},
		"all, others' too":              {q: vm.Query{All: true, Foreign: true, Group: "team"}, want: "web-01 web-02 dev them"},
		"all of a group":                {q: vm.Query{All: true, Group: "TEAM"}, want: "web-01 web-02 dev"},
		"some are left out":             {q: vm.Query{All: true, Group: "team", Where: running}, want: "web-01 dev", left: "web-02: it is deallocated"},
		"a name is not left out":        {q: vm.Query{Names: []string{"web-02"}, Where: running}, want: "web-02"},
		"tag with value":                {q: vm.Query{Selectors: selectors(t, "tag:env=dev")}, want: "web-01 web-02"},
		"tag of any value":              {q: vm.Query{Selectors: selectors(t, "tag:env")}, want: "web-01 web-02 live"},
		"tag of an empty value":         {q: vm.Query{Selectors: selectors(t, "tag:env=")}, kind: errkind.NotFound, message: `no VM is selected by "tag:env="`},
		"state":                         {q: vm.Query{Selectors: selectors(t, "state:running")}, want: "web-01 dev live"},
		"pool":                          {q: vm.Query{Selectors: selectors(t, "pool:web")}, want: "web-01 web-02"},
		"group":                         {q: vm.Query{Selectors: selectors(t, "group:team")}, want: "web-01 web-02 dev"},
		"size":                          {q: vm.Query{Selectors: selectors(t, "size:Standard_B*")}, want: "live"},
		"region":                        {q: vm.Query{Selectors: selectors(t, "region:WESTUS2")}, want: "web-01 web-02 dev live"},
		"owner":                         {q: vm.Query{Selectors: selectors(t, "owner:bob")}, want: "dev"},
		"owner:me":                      {q: vm.Query{Selectors: selectors(t, "owner:me"), Owner: "bob"}, want: "dev"},
		"owner:me of nobody":            {q: vm.Query{Selectors: selectors(t, "owner:me")}, kind: errkind.NotFound, message: "owner:me"},
		"idle":                          {q: vm.Query{Selectors: selectors(t, "idle"), Idle: idle}, want: "dev live"},
		"idle where nobody knows":       {q: vm.Query{Selectors: selectors(t, "idle")}, kind: errkind.Invalid, message: "is not known here"},
		"not":                           {q: vm.Query{Selectors: selectors(t, "!tag:env")}, want: "dev"},
		"both":                          {q: vm.Query{Selectors: selectors(t, "web-*,!state:running")}, want: "web-02"},
		"either":                        {q: vm.Query{Selectors: selectors(t, "owner:bob", "size:*B2s")}, want: "dev live"},
		"names and selectors":           {q: vm.Query{Names: []string{"live"}, Selectors: selectors(t, "pool:web")}, want: "live web-01 web-02"},
		"a near miss":                   {q: vm.Query{Names: []string{"liv"}}, kind: errkind.NotFound, message: `no VM is called "liv"; did you mean "live"?`},
		"a near session":                {q: vm.Query{Names: []string{"wor"}}, kind: errkind.NotFound, message: `did you mean "work"?`},
		"nothing near":                  {q: vm.Query{Names: []string{"completely-else"}}, kind: errkind.NotFound, message: `no VM is called "completely-else"`},
		"no such address":               {q: vm.Query{Names: []string{"198.51.100.1"}}, kind: errkind.NotFound, message: `no VM has the address "198.51.100.1"`},
		"an empty name":                 {q: vm.Query{Names: []string{""}}, kind: errkind.NotFound, message: `no VM is called ""`},
		"strict takes a name":           {q: vm.Query{Names: []string{"live"}, Strict: true}, want: "live"},
		"strict takes a pattern":        {q: vm.Query{Names: []string{"web-*"}, Strict: true}, want: "web-01 web-02"},
		"strict refuses a session":      {q: vm.Query{Names: []string{"front"}, Strict: true}, kind: errkind.Invalid, message: `"front" is not the name of a VM but the session name of live`},
		"strict refuses an address":     {q: vm.Query{Names: []string{"203.0.113.7"}, Strict: true}, kind: errkind.Invalid, message: "an address of live"},
		"strict refuses vm:session":     {q: vm.Query{Names: []string{"dev:build"}, Strict: true}, kind: errkind.Invalid, message: "a tmux session of dev"},
		"nothing is asked for":          {q: vm.Query{}, kind: errkind.Invalid, message: "nothing is selected"},
		"one wrong name spoils nothing": {q: vm.Query{Names: []string{"dev", "nosuch"}}, kind: errkind.NotFound, message: "nosuch"},
	} {
		sel, err := vm.SelectIn(t.Context(), somebodysVMs(), tc.q)
		var names, left []string
		for _, i := range sel.VMs() {
			names = append(names, i.Name)
		}
		for _, l := range sel.Left {
			left = append(left, l.VM.Name+": "+l.Reason)
		}
		if errkind.Of(err) != tc.kind || err != nil && !strings.Contains(err.Error(), tc.message) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (strings.Join(names, " ") != tc.want || strings.Join(left, ", ") != tc.left) {
			t.Errorf("%s: got %v, left out %v; want %s, %s", name, names, left, tc.want, tc.left)
		}
	}
}

// TestParseSelectorRefuses: what is wrong is said, with what is near.
func TestParseSelectorRefuses(t *testing.T) {
	t.Parallel()
	for text, message := range map[string]string{
		"": "empty", "a,": "empty", "!": "empty", "state:runnin": `did you mean "running"?`, "stat:running": `did you mean "state"?`,
		"tag:": "no name", "tag:=x": "no name", "pool:": "no value", "size:[": "not a pattern", "[": "not a pattern", "nosuch:x": "one of tag:",
	} {
		if _, err := vm.ParseSelector(text); errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), message) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzParseSelector: what is taken selects without a fault, and is said as it was written.
func FuzzParseSelector(f *testing.F) {
	for _, seed := range []string{"web-*", "tag:env=dev,!state:running", "idle", "size:Standard_D*", "!!x", "a:b:c", "tag:a=b=c"} {
		f.Add(seed)
	}
	all := somebodysVMs()
	f.Fuzz(func(t *testing.T, text string) {
		s, err := vm.ParseSelector(text)
		if err != nil {
			if errkind.Of(err) != errkind.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		q := vm.Query{Selectors: []vm.Selector{s}, Idle: func(context.Context, []vm.Info) (map[string]bool, error) { return nil, nil }}
		sel, err := vm.SelectIn(t.Context(), all, q)
		if s.String() != text || err == nil && len(sel.Matches) == 0 || slices.ContainsFunc(sel.VMs(), func(i vm.Info) bool { return !i.Managed }) {
			t.Errorf("%q: %v, %v", text, sel.VMs(), err)
		}
	})
}
