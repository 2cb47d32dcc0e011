package arm

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Match obeys If-Match and If-None-Match for a write to the resource with this etag; exists says
// whether there is one.
func (c *Call) Match(exists bool, etag string) error {
	if want := c.Header.Get("If-Match"); want != "" && (!exists || !tagIn(want, etag)) {
		return preconditionFailed("If-Match", want)
	}
	if want := c.Header.Get("If-None-Match"); want != "" && exists && tagIn(want, etag) {
		return preconditionFailed("If-None-Match", want)
	}
	return nil
}

func preconditionFailed(header, value string) error {
	return Refuse(http.StatusPreconditionFailed, "PreconditionFailed", "The precondition given in the request header '%s: %s' is not fulfilled.", header, value)
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
func (r *Resource) Etag() string { return Str(r.Body, "etag") }

// Recount gives a resource of Compute its next entity tag: a quoted counter.
func (r *Resource) Recount() {
	n, _ := strconv.Atoi(strings.Trim(r.Etag(), `"`))
	r.Body["etag"] = strconv.Quote(strconv.Itoa(n + 1))
}

// Retag gives a resource of Network a new entity tag: a weak GUID.
func (r *Resource) Retag() { r.Body["etag"] = `W/"` + uuid.NewString() + `"` }
