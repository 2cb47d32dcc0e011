package entra

import (
	"encoding/base64"
	"fmt"
	"maps"
	"time"
)

// Challenge ends every access token given out so far, as continuous access evaluation does when an
// administrator revokes a session: the resource manager answers with a claims challenge, and only a
// token that was asked for with these claims is taken.
func (s *Server) Challenge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.challenged = s.serial + 1
	s.nbf = time.Now().Unix()
}

// claims is what a client has to ask for after a challenge; empty when there was none.
func (s *Server) claims() string {
	if s.challenged == 0 {
		return ""
	}
	return fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, s.nbf)
}

// Authenticate is the value of a WWW-Authenticate header. claims is what the refusal wants, or empty.
func Authenticate(host, tenant, claims string) string {
	if claims == "" {
		return `Bearer authorization_uri="https://` + host + "/" + tenant + `", error="invalid_token", error_description="The authentication failed because of missing 'Authorization' header or an invalid token."`
	}
	return `Bearer realm="", authorization_uri="https://` + host + `/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="` +
		base64.StdEncoding.EncodeToString([]byte(claims)) + `"`
}

// Issued counts the tokens given out, by how they were asked for: secret, certificate, federated,
// device_code, refresh_token, password, managed_identity. Those asked for with claims of a challenge
// count as claims too.
func (s *Server) Issued() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.issued)
}

func (s *Server) count(how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued[how]++
}
