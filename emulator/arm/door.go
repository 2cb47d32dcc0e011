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
	if r := contract.Judge(c.Method, c.Route.Template, strings.ToLower(c.Version), raw, nil); r != nil {
		return told(r)
	}
	return nil
}

func told(r *contract.Refusal) *Error {
	e := BadRequest(r.Code, "%s", r.Message).At(r.Target)
	for _, d := range r.Details {
		e.Details = append(e.Details, told(&d))
	}
	return e
}
