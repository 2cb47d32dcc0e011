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
}

func (e *TokenError) Error() string { return e.Code + ": " + e.Message }

// Verify judges the Authorization header of a request to the resource manager at host. Validity is
// wall time, whatever the server's clock says.
func (s *Server) Verify(header, host string) error {
	if header == "" {
		return &TokenError{"AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."}
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return &TokenError{"AuthenticationFailed", fmt.Sprintf("Authentication failed. The 'Authorization' header is provided in an invalid format. The scheme '%s' is not supported.", scheme)}
	}
	claims, err := s.parse(token)
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		exp, _ := claims.GetExpirationTime() // was just read
		when := ""
		if exp != nil {
			when = exp.UTC().Format("1/2/2006 3:04:05 PM")
		}
		return &TokenError{"ExpiredAuthenticationToken", fmt.Sprintf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", when, time.Now().UTC().Format("1/2/2006 3:04:05 PM"))}
	case err != nil:
		return &TokenError{"InvalidAuthenticationToken", "The access token is invalid."}
	}
	aud, _ := claims["aud"].(string)
	if claims["use"] != nil || !s.accepts(aud, host) {
		return &TokenError{"InvalidAuthenticationTokenAudience", fmt.Sprintf("The access token has been obtained for wrong audience or resource '%s'. It should exactly match with one of the allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net','https://management.azure.com/','https://management.azure.com'.", aud)}
	}
	if tid, _ := claims["tid"].(string); tid != s.opt.TenantID {
		return &TokenError{"InvalidAuthenticationTokenTenant", fmt.Sprintf("The access token is from the wrong issuer 'https://sts.windows.net/%s/'. It must match the tenant 'https://sts.windows.net/%s/' associated with this subscription.", tid, s.opt.TenantID)}
	}
	return nil
}

// Principal is the client or user that a valid token was given to.
func (s *Server) Principal(header string) string {
	_, token, _ := strings.Cut(header, " ")
	claims, err := s.parse(token)
	if err != nil {
		return ""
	}
	oid, _ := claims["oid"].(string)
	return oid
}
