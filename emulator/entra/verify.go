package entra

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TokenError says why an access token is refused: with the code that Azure Resource Manager answers.
type TokenError struct {
	Code    string // AuthenticationFailed, InvalidAuthenticationToken, ExpiredAuthenticationToken, ...
	Message string
	Claims  string // what a new token must be asked for with; empty: nothing
}

func (e *TokenError) Error() string { return e.Code + ": " + e.Message }

// Verify judges the Authorization header of a request to the resource manager at host. Validity is
// wall time, whatever the server's clock says.
func (s *Server) Verify(header, host string) error {
	if header == "" {
		return &TokenError{Code: "AuthenticationFailed", Message: "Authentication failed. The 'Authorization' header is missing."}
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return &TokenError{Code: "AuthenticationFailed", Message: fmt.Sprintf("Authentication failed. The 'Authorization' header is provided in an invalid format. The scheme '%s' is not supported.", scheme)}
	}
	claims, err := s.parse(token)
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		exp, _ := claims.GetExpirationTime() // was just read
		when := ""
		if exp != nil {
			when = exp.UTC().Format("1/2/2006 3:04:05 PM")
		}
		return &TokenError{Code: "ExpiredAuthenticationToken", Message: fmt.Sprintf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", when, time.Now().UTC().Format("1/2/2006 3:04:05 PM"))}
	case err != nil:
		return &TokenError{Code: "InvalidAuthenticationToken", Message: "The access token is invalid."}
	}
	aud, _ := claims["aud"].(string)
	if claims["use"] != nil || !s.accepts(aud, host) {
		return &TokenError{Code: "InvalidAuthenticationTokenAudience", Message: fmt.Sprintf("The access token has been obtained for wrong audience or resource '%s'. It should exactly match with one of the allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net','https://management.azure.com/','https://management.azure.com'.", aud)}
	}
	if tid, _ := claims["tid"].(string); tid != s.opt.TenantID {
		return &TokenError{Code: "InvalidAuthenticationTokenTenant", Message: fmt.Sprintf("The access token is from the wrong issuer 'https://sts.windows.net/%s/'. It must match the tenant 'https://sts.windows.net/%s/' associated with this subscription.", tid, s.opt.TenantID)}
	}
	serial, _ := claims["serial"].(float64)
	s.mu.Lock()
	defer s.mu.Unlock()
	if int64(serial) < s.challenged {
		return &TokenError{
			Code: "InvalidAuthenticationToken", Claims: s.claims(),
			Message: "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
		}
	}
	return nil
}

// Caller says whom a valid token was given to: the object id, and the client id or the user's name.
func (s *Server) Caller(header string) (objectID, name string) {
	_, token, _ := strings.Cut(header, " ")
	claims, err := s.parse(token)
	if err != nil {
		return "", ""
	}
	objectID, _ = claims["oid"].(string)
	if name, _ = claims["upn"].(string); name == "" {
		name, _ = claims["appid"].(string)
	}
	return objectID, name
}
