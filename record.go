package azlin

import (
	"context"

	"github.com/azlin-dev/azlin/local/audit"
)

// recorder adds who and where to every record before it is appended to the log.
func recorder(log *audit.Log, contextName, user string) func(audit.Record) error {
	return func(r audit.Record) error {
		r.Context, r.User = contextName, user
		// A change that was begun is recorded even when whoever asked for it has given up.
		return log.Append(context.Background(), r)
	}
}
