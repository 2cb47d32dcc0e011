package vm

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/near"
)

// Query specifies which VMs to select: those that a name, a selector or All matches. The zero value selects nothing and is
// an error.
type Query struct {
	// Names are VM names, session names, vm:session, IP addresses, ARM ids, or patterns with * and ? over names and session
	// names. A name without a match is NotFound, with similar names.
	Names []string
	// Selectors select by properties; see Selector.
	Selectors []Selector
	All       bool // every VM in the group that azlin manages

	// Group is where names are looked up first, and the only place for patterns, selectors and All. Empty: everywhere.
	Group string
	// Foreign includes VMs that azlin does not manage. Names always include them.
	Foreign bool
	// Strict allows only VM names, patterns and selectors, for deletions: a session name, an address or vm:session is
	// refused, with the name of its VM.
	Strict bool
	// Where returns a reason to leave out a VM; empty: keep it. Nil: keep all.
	Where func(Info) (reason string)

	Owner string                                                                // what "owner:me" means
	Idle  func(ctx context.Context, candidates []Info) (map[string]bool, error) // by VM id; nil: "idle" is refused
}

// Selection is the result of a Query, in the order of its names, then newest first, without duplicates.
type Selection struct {
	Matches []Match
	Left    []LeftOut // matched by a pattern, a selector or All, but left out
	Hidden  int       // VMs in the group that azlin does not manage and that were not considered
}

// LeftOut is a VM that was left out, and why.
type LeftOut struct {
	VM     Info   `json:"vm"`
	Reason string `json:"reason"`
}

// VMs returns the selected VMs.
func (s Selection) VMs() []Info {
	vms := make([]Info, len(s.Matches))
	for n, m := range s.Matches {
		vms[n] = m.VM
	}
	return vms
}

// Select finds the VMs that match a query, with one listing of the subscription (see List). If a selector or a pattern
// matches nothing, that is NotFound; if All matches nothing, the selection is empty.
func (s *Service) Select(ctx context.Context, q Query) (Selection, error) {
	l, err := s.List(ctx, ListOptions{All: true})
	if errkind.Of(err) == errkind.Permission && q.Group != "" { // the caller may read only the group
		l, err = s.List(ctx, ListOptions{All: true, ResourceGroup: q.Group})
	}
	if err != nil {
		return Selection{}, err
	}
	if q.Group != "" && !anyIn(l.VMs, q.Group) {
		if err := s.requireGroup(ctx, q.Group); err != nil {
			return Selection{}, errkind.Classed(ErrManager, err)
		}
	}
	sel, err := SelectIn(ctx, l.VMs, q)
	return sel, errkind.Classed(ErrManager, err)
}

func anyIn(vms []Info, group string) bool {
	for _, i := range vms {
		if strings.EqualFold(i.ResourceGroup, group) {
			return true
		}
	}
	return false
}

// SelectIn is Select among VMs of all groups that are already listed.
func SelectIn(ctx context.Context, all []Info, q Query) (Selection, error) {
	p := picker{Query: q, all: all, here: all}
	if q.Group != "" {
		p.here = nil
		for _, i := range all {
			if strings.EqualFold(i.ResourceGroup, q.Group) {
				p.here = append(p.here, i)
			}
		}
	}
	if len(q.Names) == 0 && len(q.Selectors) == 0 && !q.All {
		return Selection{}, errkind.New(errkind.Invalid, "no VM is named and nothing is selected")
	}
	for _, name := range q.Names {
		if err := p.name(name); err != nil {
			return Selection{}, err
		}
	}
	if err := p.selectors(ctx); err != nil {
		return Selection{}, err
	}
	if q.All {
		p.several(func(Info) bool { return true })
	}
	for _, i := range p.here {
		if !i.Managed && !q.Foreign {
			p.out.Hidden++
		}
	}
	return p.out, nil
}

// picker collects a selection.
type picker struct {
	Query

	all, here []Info
	out       Selection
}

func (p *picker) add(m Match) {
	for _, have := range p.out.Matches {
		if have.VM.ID == m.VM.ID && (have.TmuxSession == "" || have.TmuxSession == m.TmuxSession) {
			return
		}
	}
	p.out.Matches = append(p.out.Matches, m)
}

// several adds the VMs of the group for which is returns true, and notes those left out. It returns how many matched.
func (p *picker) several(is func(Info) bool) int {
	n := 0
	for _, i := range p.here {
		if !i.Managed && !p.Foreign || !is(i) {
			continue
		}
		n++
		if p.Where != nil {
			if reason := p.Where(i); reason != "" {
				p.out.Left = append(p.out.Left, LeftOut{i, reason})
				continue
			}
		}
		p.add(Match{VM: i, By: "selection"})
	}
	return n
}

// name adds the VMs that one argument refers to.
func (p *picker) name(name string) error {
	if IsPattern(name) && !strings.HasPrefix(name, "/") {
		s, err := ParseSelector(name)
		if err != nil {
			return err
		}
		if p.several(func(i Info) bool { return s.matches(i, p.Owner, nil) }) == 0 {
			return &errkind.Error{Kind: errkind.NotFound, Err: fmt.Errorf("no VM has a name or session like %q%s", name, p.where())}
		}
		return nil
	}
	m, err := p.find(name)
	if err != nil {
		return err
	}
	if p.Strict && (m.By != "name" && m.By != "id" || m.TmuxSession != "") {
		return &errkind.Error{
			Kind: errkind.Invalid, Err: fmt.Errorf("%q is not the name of a VM but %s of %s; use the VM's name", name, byWhat(m), m.VM.Name),
		}
	}
	p.add(m)
	return nil
}

func byWhat(m Match) string {
	switch {
	case m.TmuxSession != "":
		return "a tmux session"
	case m.By == "address":
		return "an address"
	}
	return "the session name"
}

// find looks a name up in the group first, then everywhere.
func (p *picker) find(name string) (Match, error) {
	m, err := ResolveIn(p.here, name)
	if errkind.Of(err) == errkind.NotFound && p.Group != "" {
		m, err = ResolveIn(p.all, name)
	}
	if errkind.Of(err) != errkind.NotFound {
		return m, err
	}
	return m, p.missing(name)
}

// missing is the error for a name without a match.
func (p *picker) missing(name string) error {
	var known []string
	for _, i := range p.all {
		known = append(known, i.Name, i.SessionName)
	}
	what := "is called"
	if _, err := netip.ParseAddr(name); err == nil {
		what, known = "has the address", nil
	}
	left, _, _ := strings.Cut(name, ":")
	return &errkind.Error{Kind: errkind.NotFound, Err: fmt.Errorf("no VM %s %q%s", what, name, near.Suggestion(left, known))}
}

// where describes the group to which the search was limited.
func (p *picker) where() string {
	if p.Group == "" {
		return ""
	}
	return " in resource group " + p.Group
}

// selectors adds the VMs that at least one of the expressions matches.
func (p *picker) selectors(ctx context.Context) error {
	if len(p.Selectors) == 0 {
		return nil
	}
	idle := map[string]bool{}
	for _, s := range p.Selectors {
		if !s.usesIdle() {
			continue
		}
		if p.Idle == nil {
			return errkind.New(errkind.Invalid, "selector %q: whether VMs are idle is not known here", s)
		}
		var err error
		if idle, err = p.Idle(ctx, p.here); err != nil {
			return err
		}
		break
	}
	found := p.several(func(i Info) bool {
		for _, s := range p.Selectors {
			if s.matches(i, p.Owner, func(i Info) bool { return idle[i.ID] }) {
				return true
			}
		}
		return false
	})
	if found == 0 {
		texts := make([]string, len(p.Selectors))
		for n, s := range p.Selectors {
			texts[n] = fmt.Sprintf("%q", s)
		}
		return &errkind.Error{Kind: errkind.NotFound, Err: fmt.Errorf("no VM is selected by %s%s", strings.Join(texts, " or "), p.where())}
	}
	return nil
}
