// Package doctor looks at everything that azlin depends on, on this machine and in Azure, and says for each
// thing whether it is in order and how to mend it. It changes nothing.
package doctor

import (
	"context"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/vm/catalog"
)

// Status is what was found.
type Status string

// The outcomes of a check.
const (
	OK      Status = "ok"
	Warning Status = "warning" // azlin works, but not all of it, or not for long
	Failed  Status = "failed"  // something that azlin cannot do without
	Skipped Status = "skipped" // could not be looked at, because something before it failed
)

// Finding is the outcome of one check.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	// Next is what mends it; zero: nothing that can be run. Advice says it then.
	Next   errkind.Step `json:"next_step,omitzero"`
	Advice string       `json:"-"`
}

// Subject is what is examined. What is left out is not looked at.
type Subject struct {
	Paths   config.Paths
	Cloud   azure.Cloud           // zero: not known, and not looked at
	Auth    *signin.Authenticator // nil with SignInErr set: nobody can be signed in
	Catalog *catalog.Service      // nil: quota is not looked at
	Azure   *azure.Client         // nil: permissions are not looked at
	Group   string                // whose permissions are looked at
	// SignInErr is why there is no way to sign in.
	SignInErr error
	Region    string        // whose quota is looked at
	Patience  time.Duration // of each check; zero: 15 seconds
}

// check is one thing to look at.
type check struct {
	name string
	look func(context.Context, Subject) []Finding
}

// Examine makes all checks at once and returns what they found, in a fixed order. Checks in Azure are
// skipped when signing in fails.
func Examine(ctx context.Context, s Subject) []Finding {
	if s.Patience == 0 {
		s.Patience = 15 * time.Second
	}
	checks := []check{
		{"tools", tools},
		{"files", files},
		{"configuration", configuration},
		{"audit log", auditLog},
		{"endpoints", endpoints},
		{"sign-in", signIn},
		{"permissions", permissions},
		{"quota", quota},
	}
	found := make([][]Finding, len(checks))
	done := make(chan int, len(checks))
	for n, c := range checks {
		go func() {
			ctx, cancel := context.WithTimeout(ctx, s.Patience)
			defer cancel()
			found[n] = c.look(ctx, s)
			done <- n
		}()
	}
	for range checks {
		<-done
	}
	var all []Finding
	for _, f := range found {
		all = append(all, f...)
	}
	return all
}

// Healthy reports whether no check failed. Warnings do not count.
func Healthy(findings []Finding) bool {
	for _, f := range findings {
		if f.Status == Failed {
			return false
		}
	}
	return true
}
