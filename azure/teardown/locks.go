package teardown

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// locksVersion is the api-version of Microsoft.Authorization/locks.
const locksVersion = "2016-09-01"

// NameLocks adds to Azure's refusal the names of the resource's locks, if they are readable.
func NameLocks(ctx context.Context, c *azure.Client, id string, err error) error {
	if err == nil || !strings.EqualFold(azure.Code(err), "ScopeLocked") {
		return err
	}
	var names []string
	perr := c.Page(ctx, id+"/providers/Microsoft.Authorization/locks", locksVersion, func(page []byte) error {
		var list struct {
			Value []struct {
				ID         string `json:"id"`
				Name       string `json:"name"`
				Properties struct {
					Level string `json:"level"`
				} `json:"properties"`
			} `json:"value"`
		}
		if err := json.Unmarshal(page, &list); err != nil {
			return err
		}
		for _, l := range list.Value {
			names = append(names, l.Name+" ("+l.Properties.Level+")")
		}
		return nil
	})
	if perr != nil || len(names) == 0 {
		return err // Azure's message already names the locked scope
	}
	slices.Sort(names)
	return &errkind.Error{
		Kind: errkind.Conflict, Op: "delete", Resource: id, Code: "ScopeLocked",
		Err: errkind.New(errkind.Conflict, "locked by %s: remove the lock first (az lock delete)", strings.Join(names, ", ")),
	}
}
