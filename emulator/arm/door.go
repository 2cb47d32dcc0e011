package arm

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/contract"
)

// describedAs refuses a body that is not as Azure's API descriptions have it.
func (s *Server) describedAs(c *Call) error {
	if c.Body == nil || c.Method == http.MethodGet || c.Method == http.MethodDelete {
		return nil
	}
	raw := c.Raw
	if !json.Valid(raw) { // loosely spelled, or made by a deployment
		raw, _ = json.Marshal(c.Body) // was parsed from JSON
	}
	if r := contract.Judge(c.Method, c.Route.Template, strings.ToLower(c.Version), raw, s.later(c)); r != nil {
		return told(r)
	}
	return nil
}

// later says which members of a call's type came after its api-version, which refuses them.
func (s *Server) later(c *Call) func(path string) bool {
	ns, typ := c.Route.Kind()
	version := strings.ToLower(c.Version)
	return func(path string) bool {
		for _, m := range s.since[strings.ToLower(ns+"/"+typ)] {
			if version < m.since && strings.Join(m.path, ".") == path {
				return true
			}
		}
		return false
	}
}

func told(r *contract.Refusal) *Error {
	e := BadRequest(r.Code, "%s", r.Message).At(r.Target)
	for _, d := range r.Details {
		e.Details = append(e.Details, told(&d))
	}
	return e
}
