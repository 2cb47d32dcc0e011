package entra

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The paths of the two kinds of identity endpoint.
const (
	IdentityPath = "/msi/token"                      // as in App Service: IDENTITY_ENDPOINT, IDENTITY_HEADER
	IMDSPath     = "/metadata/identity/oauth2/token" // as on a VM: http://169.254.169.254
)

func isIdentity(path string) bool { return path == IdentityPath || path == IMDSPath }

// identity answers what runs on Azure and has a managed identity.
func (s *Server) identity(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	refuse := func(status int, code, text string) {
		if r.URL.Path == IdentityPath {
			send(w, status, map[string]any{"StatusCode": status, "Message": text, "CorrelationId": uuid.NewString()})
			return
		}
		send(w, status, map[string]any{"error": code, "error_description": text})
	}
	switch {
	case r.Method != http.MethodGet:
		refuse(http.StatusMethodNotAllowed, "invalid_request", "Only GET is supported.")
		return
	case (s.opt.Shared || r.URL.Path == IdentityPath) && (s.opt.IdentityHeader == "" || !same(r.Header.Get("X-Identity-Header"), s.opt.IdentityHeader)):
		refuse(http.StatusUnauthorized, "unauthorized", "The X-IDENTITY-HEADER is missing or wrong.")
		return
	case r.URL.Path == IMDSPath && !strings.EqualFold(r.Header.Get("Metadata"), "true"):
		refuse(http.StatusBadRequest, "invalid_request", "Required metadata header not specified")
		return
	case r.URL.Path == IMDSPath && r.Header.Get("X-Forwarded-For") != "":
		refuse(http.StatusBadRequest, "invalid_request", "Requests that were forwarded are not served")
		return
	case q.Get("api-version") == "":
		refuse(http.StatusBadRequest, "invalid_request", "Required query variable 'api-version' is missing")
		return
	}
	resource := strings.TrimRight(q.Get("resource"), "/")
	if !s.accepts(resource, r.Host) {
		refuse(http.StatusBadRequest, "invalid_resource", "AADSTS500011: The resource principal named "+resource+" was not found in the tenant named Local.")
		return
	}
	p, ok := s.managed(q.Get("client_id"), q.Get("object_id"))
	if !ok || s.isDisabled(p.ObjectID) {
		if r.URL.Path == IdentityPath {
			refuse(http.StatusBadRequest, "", "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.")
			return
		}
		refuse(http.StatusBadRequest, "invalid_request", "Identity not found")
		return
	}
	s.count("managed_identity")
	end := time.Now().Add(s.opt.Lifetime)
	o := map[string]any{
		"access_token": s.access(p, resource), "client_id": p.ClientID, "resource": q.Get("resource"), "token_type": "Bearer",
		"expires_on": strconv.FormatInt(end.Unix(), 10),
	}
	if r.URL.Path == IMDSPath {
		o["expires_in"], o["ext_expires_in"] = strconv.Itoa(s.seconds()), strconv.Itoa(s.seconds())
		o["not_before"] = strconv.FormatInt(time.Now().Unix(), 10)
	}
	send(w, http.StatusOK, o)
}
