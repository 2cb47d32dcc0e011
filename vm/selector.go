package vm

import (
	"path"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/near"
)

// Selector is one expression that chooses VMs: terms that must all hold.
//
//	web-*            a pattern with * and ? over names and session names
//	tag:env=dev      a tag with this value (a pattern); tag:env: the tag, whatever its value
//	state:running    a power state: running, stopped, deallocated, starting, stopping, deallocating, unknown
//	pool:web         VMs of a pool
//	group:team       a resource group; size:Standard_D*, region:westus2: these, as patterns
//	owner:me         who asked for the VM; "me" is whoever is signed in
//	idle             not used for long; only where somebody can tell (see Query.Idle)
//	!TERM            not
//	A,B              both
type Selector struct {
	text  string
	terms []term
}

// String is the expression as written.
func (s Selector) String() string { return s.text }

type term struct {
	not   bool
	key   string // "name", "tag", "state", …, "idle"
	name  string // of a tag
	value string // a pattern; of a tag empty: any value
	any   bool   // of a tag: any value
}

// selectorKeys are the words before the colon.
func selectorKeys() []string {
	return []string{"tag", "state", "pool", "group", "size", "region", "owner"}
}

func powerStates() []string {
	return []string{string(Running), string(Starting), string(Stopping), string(Stopped), string(Deallocating), string(Deallocated), string(UnknownState)}
}

// ParseSelector parses an expression. Its error is Invalid and names the term.
func ParseSelector(text string) (Selector, error) {
	s := Selector{text: text}
	for part := range strings.SplitSeq(text, ",") {
		t, err := parseTerm(strings.TrimSpace(part))
		if err != nil {
			return Selector{}, errkind.New(errkind.Invalid, "selector %q: %w", text, err)
		}
		s.terms = append(s.terms, t)
	}
	return s, nil
}

func parseTerm(text string) (term, error) {
	rest, not := strings.CutPrefix(text, "!")
	t := term{not: not, key: "name", value: rest}
	key, value, colon := strings.Cut(rest, ":")
	switch {
	case rest == "":
		return t, errkind.New(errkind.Invalid, "a term is empty")
	case rest == "idle":
		t.key, t.value = "idle", ""
		return t, nil
	case colon:
		t.key, t.value = strings.ToLower(key), value
	}
	switch t.key {
	case "name", "pool", "group", "size", "region", "owner":
	case "tag":
		var equals bool
		t.name, t.value, equals = strings.Cut(value, "=")
		t.any = !equals
		if t.name == "" {
			return t, errkind.New(errkind.Invalid, "tag: has no name; use tag:NAME or tag:NAME=VALUE")
		}
	case "state":
		t.value = strings.ToLower(value)
		if !contains(powerStates(), t.value) {
			return t, errkind.New(errkind.Invalid, "there is no power state %q%s", value, near.Suggestion(value, powerStates()))
		}
	default:
		return t, errkind.New(errkind.Invalid, "there is no %q%s; use a pattern, idle, or one of %s", key+":", near.Suggestion(key, selectorKeys()), strings.Join(selectorKeys(), ":, ")+":")
	}
	if t.value == "" && t.key != "tag" {
		return t, errkind.New(errkind.Invalid, "%s: has no value", t.key)
	}
	if _, err := path.Match(t.value, ""); err != nil {
		return t, errkind.New(errkind.Invalid, "%q is not a pattern", t.value)
	}
	return t, nil
}

func contains(all []string, word string) bool {
	return slices.Contains(all, word)
}

// usesIdle reports whether a term asks if VMs are idle.
func (s Selector) usesIdle() bool {
	for _, t := range s.terms {
		if t.key == "idle" {
			return true
		}
	}
	return false
}

// matches reports whether all terms match. idle reports whether a VM is idle; owner is the value of "me".
func (s Selector) matches(i Info, owner string, idle func(Info) bool) bool {
	for _, t := range s.terms {
		if t.holds(i, owner, idle) == t.not {
			return false
		}
	}
	return true
}

func (t term) holds(i Info, owner string, idle func(Info) bool) bool {
	switch t.key {
	case "name":
		return like(t.value, i.Name) || i.SessionName != "" && like(t.value, i.SessionName)
	case "tag":
		have, ok := azure.Tag(i.Tags, t.name)
		exact, _ := path.Match(t.value, have) // the pattern was validated; tag values are case-sensitive
		return ok && (t.any || exact)
	case "state":
		return string(i.PowerState) == t.value
	case "pool":
		pool, ok := azure.Tag(i.Tags, azure.TagPool)
		return ok && like(t.value, pool)
	case "group":
		return like(t.value, i.ResourceGroup)
	case "size":
		return like(t.value, i.VMSize)
	case "region":
		return like(t.value, i.Location)
	case "owner":
		want := t.value
		if want == "me" {
			want = owner
		}
		have, ok := azure.Tag(i.Tags, azure.TagOwner)
		return ok && want != "" && like(want, have)
	case "idle":
		return idle(i)
	}
	return false
}

// like reports whether a name matches a pattern. Azure's names ignore case.
func like(pattern, name string) bool {
	ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(name)) // the pattern was validated
	return ok
}

// IsPattern reports whether an argument is a pattern, not a name.
func IsPattern(arg string) bool { return strings.ContainsAny(arg, "*?[") }
