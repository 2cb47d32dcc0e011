// Package fault makes a local Azure misbehave on request, and repeatably: rules say which requests, operations and SSH
// connections go wrong, how, how often and with what probability.
package fault

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Effect is what goes wrong.
type Effect string

// The effects on requests.
const (
	Throttle    Effect = "throttle"     // 429, with Retry-After from Delay (default 1 s)
	ThrottleNow Effect = "throttle-now" // 429 without Retry-After
	Error500    Effect = "500"
	Error502    Effect = "502"
	Error503    Effect = "503"
	InProgress  Effect = "in-progress"  // 409 AnotherOperationInProgress
	ResetBefore Effect = "reset-before" // the connection breaks before the request is carried out
	ResetAfter  Effect = "reset-after"  // it breaks after that, in place of the answer
	Slow        Effect = "slow"         // the answer takes Delay longer (default 2 s)
	Truncate    Effect = "truncate"     // the answer ends in the middle of its body
	Expired     Effect = "expired"      // 401, as if the token had ended
	Skew        Effect = "skew"         // the answer's Date is off by Delay (default 10 min)
)

// The effects on long-running operations.
const (
	Fail  Effect = "fail"  // the operation ends in the failure Code (default AllocationFailed)
	Stuck Effect = "stuck" // it does not end before the rule is removed
	Lie   Effect = "lie"   // it succeeds, and then its resource is not found for Delay (default 5 s)
)

// The effects on SSH connections.
const (
	SSHRefuse Effect = "ssh-refuse" // nobody listens
	SSHHang   Effect = "ssh-hang"   // the server says its name, and then nothing
	SSHDrop   Effect = "ssh-drop"   // the connection ends after Bytes from the server (default 4096)
	SSHFreeze Effect = "ssh-freeze" // after Bytes nothing goes through any more, and the connection stays
	SSHDelay  Effect = "ssh-delay"  // every packet comes Delay later (default 100 ms)
	SSHLimit  Effect = "ssh-limit"  // connections beyond ten that have not signed in are dropped, as by MaxStartups
)

// Effects lists all of them, those on requests first.
func Effects() []Effect {
	return []Effect{
		Throttle, ThrottleNow, Error500, Error502, Error503, InProgress, ResetBefore, ResetAfter, Slow, Truncate, Expired, Skew,
		Fail, Stuck, Lie, SSHRefuse, SSHHang, SSHDrop, SSHFreeze, SSHDelay, SSHLimit,
	}
}

func (e Effect) onOperations() bool { return e == Fail || e == Stuck || e == Lie }

func (e Effect) onSSH() bool { return strings.HasPrefix(string(e), "ssh-") }

// Rule says what goes wrong, and when. The zero value of each condition matches everything.
type Rule struct {
	ID     string `json:"id"` // given by Add when empty
	Effect Effect `json:"effect"`

	Method    string `json:"method,omitempty"`    // of requests: "PUT"
	Path      string `json:"path,omitempty"`      // of requests: a pattern with * and ?, which match slashes, too; letter case is of no matter
	Type      string `json:"type,omitempty"`      // resource type: "Microsoft.Compute/virtualMachines"
	Operation string `json:"operation,omitempty"` // kind of long-running operations: "vm.create"
	Name      string `json:"name,omitempty"`      // a pattern for the name of the resource, or of the VM that SSH is for

	Skip        int     `json:"skip,omitempty"`        // matches that are let through first
	Count       int     `json:"count,omitempty"`       // how often it strikes; 0: without end
	Probability float64 `json:"probability,omitempty"` // of each match; 0: always
	Seed        uint64  `json:"seed,omitempty"`        // of the chance: the same requests in the same order, the same faults

	Delay   time.Duration `json:"delay,omitempty"` // see the effects
	Bytes   int           `json:"bytes,omitempty"` // see the effects
	Code    string        `json:"code,omitempty"`  // of Fail
	Message string        `json:"message,omitempty"`

	Matched int `json:"matched"` // so far; set by List
	Struck  int `json:"struck"`  // so far; set by List
}

// Validate finds what cannot be meant.
func (r Rule) Validate() error {
	if !slices.Contains(Effects(), r.Effect) {
		all := make([]string, len(Effects()))
		for i, e := range Effects() {
			all[i] = string(e)
		}
		return fmt.Errorf("there is no fault %q; there are %s", r.Effect, strings.Join(all, ", "))
	}
	switch {
	case r.Probability < 0 || r.Probability > 1:
		return fmt.Errorf("a probability of %g: give 0 to 1", r.Probability)
	case r.Skip < 0 || r.Count < 0 || r.Delay < 0 || r.Bytes < 0:
		return fmt.Errorf("skip, count, delay and bytes are not negative")
	case r.Operation != "" && !r.Effect.onOperations():
		return fmt.Errorf("%s is not an effect on operations: those are %s, %s and %s", r.Effect, Fail, Stuck, Lie)
	case (r.Method != "" || r.Path != "") && (r.Effect.onOperations() || r.Effect.onSSH()):
		return fmt.Errorf("method and path are of requests, %s is not an effect on them", r.Effect)
	case r.Type != "" && r.Effect.onSSH():
		return fmt.Errorf("SSH connections have no resource type: name the VM")
	}
	for _, pattern := range []string{r.Path, r.Name} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", pattern, err)
		}
	}
	return nil
}

// Set is the rules of one emulator. It may be used by several goroutines; the zero value has none.
type Set struct {
	mu    sync.Mutex
	rules []*active
	next  int
}

type active struct {
	Rule
	random *rand.Rand
}

// Add adds a rule and returns it with its id.
func (s *Set) Add(r Rule) (Rule, error) {
	if err := r.Validate(); err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	if r.ID == "" {
		r.ID = fmt.Sprintf("f%d", s.next)
	}
	if slices.ContainsFunc(s.rules, func(a *active) bool { return a.ID == r.ID }) {
		return r, fmt.Errorf("there is a fault %q already", r.ID)
	}
	r.Matched, r.Struck = 0, 0
	s.rules = append(s.rules, &active{r, rand.New(rand.NewPCG(r.Seed, 0))})
	return r, nil
}

// List returns the rules with how often they matched and struck.
func (s *Set) List() []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Rule, len(s.rules))
	for i, a := range s.rules {
		all[i] = a.Rule
	}
	return all
}

// Clear removes the rules with these ids, or all when none are given, and says how many.
func (s *Set) Clear(ids ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.rules)
	s.rules = slices.DeleteFunc(s.rules, func(a *active) bool { return len(ids) == 0 || slices.Contains(ids, a.ID) })
	return before - len(s.rules)
}

// Has reports whether a rule is there.
func (s *Set) Has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.rules, func(a *active) bool { return a.ID == id })
}

// Request is what rules look at in a request.
type Request struct {
	Method, Path string
	Type, Name   string // of the resource that the path names; empty: none
}

// OnRequest returns the rule that strikes a request, or nil. Asking counts as a match.
func (s *Set) OnRequest(q Request) *Rule {
	return s.strike(func(r *Rule) bool {
		return !r.Effect.onOperations() && !r.Effect.onSSH() && (r.Method == "" || strings.EqualFold(r.Method, q.Method)) &&
			matches(r.Path, q.Path) && (r.Type == "" || strings.EqualFold(r.Type, q.Type)) && matches(r.Name, q.Name)
	})
}

// OnOperation returns the rule that strikes an operation which begins on a resource, or nil.
func (s *Set) OnOperation(kind, typ, name string) *Rule {
	return s.strike(func(r *Rule) bool {
		return r.Effect.onOperations() && (r.Operation == "" || strings.EqualFold(r.Operation, kind)) &&
			(r.Type == "" || strings.EqualFold(r.Type, typ)) && matches(r.Name, name)
	})
}

// OnSSH returns the rule that strikes a connection to a VM, or nil.
func (s *Set) OnSSH(vm string) *Rule {
	return s.strike(func(r *Rule) bool { return r.Effect.onSSH() && matches(r.Name, vm) })
}

// strike gives the first matching rule that is not used up and whose chance comes up. Every matching rule before it has
// seen the match.
func (s *Set) strike(wanted func(*Rule) bool) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.rules {
		if !wanted(&a.Rule) {
			continue
		}
		a.Matched++
		chance := a.Probability == 0 || a.random.Float64() < a.Probability // drawn for every match, so that it can be repeated
		if a.Matched <= a.Skip || a.Count > 0 && a.Struck >= a.Count || !chance {
			continue
		}
		a.Struck++
		struck := a.Rule
		return &struck
	}
	return nil
}

// matches is path.Match, but for slashes, which are like other characters, and for letter case.
func matches(pattern, s string) bool {
	if pattern == "" {
		return true
	}
	flat := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "/", "\x00") }
	ok, err := path.Match(flat(pattern), flat(s))
	return err == nil && ok
}
