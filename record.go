package azlin

import (
	"context"

	"github.com/azlin-dev/azlin/local/audit"
)

// recorder adds user and context to every record before it is appended to the log.
func recorder(log *audit.Log, contextName, user string) func(audit.Record) error {
	return func(r audit.Record) error {
		r.Context, r.User = contextName, user
		// The result of a change is recorded even after the caller has cancelled.
		return log.Append(context.Background(), r)
	}
}
