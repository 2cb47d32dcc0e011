package arm

import (
	"encoding/base64"
	"strconv"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Page answers a list. The whole of it is cut into pages of the server's size; $top makes them
// smaller. The rest is behind an absolute nextLink, which the last page has not.
func (c *Call) Page(items []any) *Reply {
	size := c.Server.opt.PageSize
	if n, err := strconv.Atoi(c.Arg("$top")); err == nil && n > 0 && n < size {
		size = n
	}
	start := 0
	if raw, err := base64.RawURLEncoding.DecodeString(c.Arg("$skiptoken")); err == nil {
		if n, err := strconv.Atoi(string(raw)); err == nil && n > 0 {
			start = min(n, len(items))
		}
	}
	end := min(start+size, len(items))
	o := azjson.Object{"value": append([]any{}, items[start:end]...)}
	if end < len(items) {
		q := c.Query
		q.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end))))
		o["nextLink"] = c.Base + c.Path + "?" + q.Encode()
	}
	return OK(o)
}

// Views is the list of the views of resources.
func (s *Server) Views(l []*Resource) []any {
	out := make([]any, len(l))
	for i, r := range l {
		out[i] = s.View(r)
	}
	return out
}
