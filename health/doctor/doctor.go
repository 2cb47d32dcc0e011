// Package doctor checks everything azlin depends on, on this machine and in Azure, and reports for each whether it works and
// how to fix it. It changes nothing.
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

// Status is the result of a check.
type Status string

// The outcomes of a check.
const (
	OK      Status = "ok"
	Warning Status = "warning" // azlin works, but partly or not for long
	Failed  Status = "failed"  // azlin cannot work without it
	Skipped Status = "skipped" // not checked, because an earlier check failed
)

// Finding is a check's result.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	// Next fixes it; zero: no command does, see Advice.
	Next   errkind.Step `json:"next_step,omitzero"`
	Advice string       `json:"-"`
}

// Subject is what to examine. Fields left empty are not checked.
type Subject struct {
	Paths   config.Paths
	Cloud   azure.Cloud           // zero: unknown, and not checked
	Auth    *signin.Authenticator // nil with SignInErr set: sign-in is impossible
	Catalog *catalog.Service      // nil: quota is not checked
	Azure   *azure.Client         // nil: permissions are not checked
	Group   string                // for permissions
	// SignInErr is why there is no way to sign in.
	SignInErr error
	Region    string        // for quota
	Patience  time.Duration // of each check; zero: 15 seconds
}

// check is one check.
type check struct {
	name string
	look func(context.Context, Subject) []Finding
}

// Examine runs all checks in parallel and returns their results in a fixed order. Checks in Azure are skipped when signing
// in fails.
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

// Healthy reports whether no check failed. Warnings are ignored.
func Healthy(findings []Finding) bool {
	for _, f := range findings {
		if f.Status == Failed {
			return false
		}
	}
	return true
}
