package vm

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/near"
)

// Query says which VMs are meant. All that is set adds to the selection: a VM is in it when a name, a selector or All
// chooses it. The zero value chooses nothing and is an error.
type Query struct {
	// Names are what a person calls VMs: the VM's name, its session name, vm:session, an IP address, an ARM id, or a pattern
	// with * and ? over names and session names. One that no VM has is NotFound, with the names that are near.
	Names []string
	// Selectors choose by properties; see Selector.
	Selectors []Selector
	All       bool // every VM of azlin's in the group

	// Group is where names are looked for first, and the only place for patterns, selectors and All. Empty: everywhere.
	Group string
	// Foreign takes VMs that azlin does not manage, too. A name always finds them; FromNames says what becomes of them.
	Foreign bool
	// Strict takes VM names, patterns and selectors only, as before a deletion: a session name, an address or vm:session is
	// refused, with the name of the VM that it stands for.
	Strict bool
	// Where leaves out VMs for a reason that it returns; empty: the VM stays. Nil: none are left out.
	Where func(Info) (reason string)

	Owner string                                                                // what "owner:me" means
	Idle  func(ctx context.Context, candidates []Info) (map[string]bool, error) // by VM id; nil: "idle" is refused
}

// Selection is what a Query has chosen, in the order of its names, then newest first. No VM comes twice.
type Selection struct {
	Matches []Match
	Left    []LeftOut // chosen by a pattern, a selector or All, and left out all the same
	Hidden  int       // VMs in the group that are not azlin's and were not looked at
}

// LeftOut is a VM that was not taken, and why.
type LeftOut struct {
	VM     Info   `json:"vm"`
	Reason string `json:"reason"`
}

// VMs are the chosen VMs.
func (s Selection) VMs() []Info {
	vms := make([]Info, len(s.Matches))
	for n, m := range s.Matches {
		vms[n] = m.VM
	}
	return vms
}

// Select finds the VMs that a query means, with one listing of the subscription (see List). Nothing chosen by a selector or
// a pattern is NotFound; nothing chosen by All alone is an empty selection.
func (s *Service) Select(ctx context.Context, q Query) (Selection, error) {
	l, err := s.List(ctx, ListOptions{All: true})
	if errkind.Of(err) == errkind.Permission && q.Group != "" { // who may read the group only
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

// SelectIn is Select among VMs that were listed before, of all groups.
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

// several adds the VMs of the group for which is holds, and notes those that are left out. It returns how many there were.
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

// name adds what one argument means.
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

// find looks for a name in the group at hand first, then everywhere.
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

// missing is the error for a name that no VM has.
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

// where says to which group the search was limited.
func (p *picker) where() string {
	if p.Group == "" {
		return ""
	}
	return " in resource group " + p.Group
}

// selectors adds what the expressions choose: what one of them does.
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
