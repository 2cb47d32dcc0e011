package arm

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Match obeys If-Match and If-None-Match for a write to the resource with this etag; exists says
// whether there is one.
func (c *Call) Match(exists bool, etag string) error {
	if want := c.Header.Get("If-Match"); want != "" && (!exists || !tagIn(want, etag)) {
		return c.mismatch(fmt.Sprintf("Etag provided in if-match header %s does not match etag %s of resource", want, etag))
	}
	if want := c.Header.Get("If-None-Match"); want != "" && exists && tagIn(want, etag) {
		return c.mismatch(fmt.Sprintf("Etag provided in if-none-match header %s matches etag %s of resource", want, etag))
	}
	return nil
}

// mismatch is the refusal in the words of the provider: Network's are in the details.
func (c *Call) mismatch(text string) error {
	const code = "PreconditionFailed"
	if ns, _ := c.Route.Kind(); azjson.Fold(ns, "Microsoft.Network") {
		return Refuse(http.StatusPreconditionFailed, code, "Precondition failed.").
			withDetail(Refuse(http.StatusPreconditionFailed, "PreconditionFailedEtagMismatch", "%s %s.", text, c.Path))
	}
	return Refuse(http.StatusPreconditionFailed, code, "%s.", text)
}

// tagIn reports whether a list of entity tags has etag. "*" stands for any; weakness does not matter.
func tagIn(list, etag string) bool {
	for t := range strings.SplitSeq(list, ",") {
		t = strings.TrimSpace(t)
		if t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// Etag is a resource's entity tag, "" when its type has none.
func (r *Resource) Etag() string { return azjson.Str(r.Body, "etag") }

// Recount gives a resource of Compute its next entity tag: a quoted counter.
func (r *Resource) Recount() {
	n, _ := strconv.Atoi(strings.Trim(r.Etag(), `"`))
	r.Body["etag"] = strconv.Quote(strconv.Itoa(n + 1))
}

// Retag gives a resource of Network a new entity tag: a weak GUID.
func (r *Resource) Retag() { r.Body["etag"] = `W/"` + uuid.NewString() + `"` }
