package entra

import (
	"crypto"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	exchange      = "api://AzureADTokenExchange"
)

// skew is how far the clocks of a client and of Entra ID may differ.
const skew = 30 * time.Second

// refusal is why a sign-in fails.
type refusal struct {
	code   string // of OAuth
	number int    // of Entra ID
	text   string
}

func refused(code string, number int, format string, args ...any) *refusal {
	return &refusal{code, number, fmt.Sprintf(format, args...)}
}

// assertion judges a client assertion: one that the application's own certificate signed, or one of a
// foreign issuer. how says which it was.
func (s *Server) assertion(p Principal, given, host string) (how string, no *refusal) {
	claims := jwt.MapClaims{}
	token, _, err := jwt.NewParser().ParseUnverified(given, claims)
	if err != nil {
		return "", refused("invalid_request", 50027, "JWT token is invalid or malformed.")
	}
	_, own1 := token.Header["x5t"]
	_, own2 := token.Header["x5t#S256"]
	if own1 || own2 {
		return "certificate", s.certificate(p, token, given, host)
	}
	return "federated", s.federated(p, claims, given)
}

// algorithms are those that clients sign assertions with.
func algorithms() jwt.ParserOption { return jwt.WithValidMethods([]string{"RS256", "PS256"}) }

// certificate judges an assertion that names the certificate whose key signed it.
func (s *Server) certificate(p Principal, token *jwt.Token, given, host string) *refusal {
	cert := p.certificate(token.Header)
	if cert == nil {
		return refused("invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Please visit the Azure Portal to check the registered certificates of '%s'].", p.ClientID)
	}
	if time.Now().After(cert.NotAfter) {
		return refused("invalid_client", 700027, "The certificate used to sign the client assertion has expired. [Reason - The key used is expired.].")
	}
	claims := jwt.MapClaims{}
	if no := verify(given, claims, cert.PublicKey); no != nil {
		return no
	}
	if iss, _ := claims["iss"].(string); !strings.EqualFold(iss, p.ClientID) {
		return refused("invalid_client", 700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	}
	if sub, _ := claims["sub"].(string); !strings.EqualFold(sub, p.ClientID) {
		return refused("invalid_client", 700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	}
	if jti, _ := claims["jti"].(string); jti == "" {
		return refused("invalid_client", 50027, "JWT token is invalid or malformed: the claim 'jti' is missing.")
	}
	if !s.realm(claims, host) {
		return refused("invalid_client", 700023, "Client assertion audience claim does not match Realm issuer. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .")
	}
	return nil
}

// certificate finds the registered certificate that a header's thumbprint names.
func (p Principal) certificate(header map[string]any) *x509.Certificate {
	for _, c := range p.Certificates {
		short, long := sha1.Sum(c.Raw), sha256.Sum256(c.Raw) //nolint:gosec // x5t is a SHA-1 thumbprint
		if names(header["x5t"], short[:]) || names(header["x5t#S256"], long[:]) {
			return c
		}
	}
	return nil
}

// names reports whether a header's value is a thumbprint. Entra ID takes both alphabets of base64,
// and clients use both.
func names(value any, print []byte) bool {
	given, ok := value.(string)
	given = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(given, "="))
	return ok && given == base64.RawURLEncoding.EncodeToString(print)
}

// realm reports whether the audience of an assertion is this server's tenant.
func (s *Server) realm(claims jwt.MapClaims, host string) bool {
	audiences, err := claims.GetAudience()
	if err != nil {
		return false
	}
	for _, tenant := range []string{s.opt.TenantID, "adfs", "common", "organizations"} {
		base := "https://" + host + "/" + tenant
		for _, a := range audiences {
			switch strings.TrimRight(strings.ToLower(a), "/") {
			case strings.ToLower(base), strings.ToLower(base + "/v2.0"), strings.ToLower(base + "/oauth2/token"), strings.ToLower(base + "/oauth2/v2.0/token"):
				return true
			}
		}
	}
	return false
}

// federated judges the token of a foreign issuer. Names are compared with regard to case.
func (s *Server) federated(p Principal, claims jwt.MapClaims, given string) *refusal {
	iss, _ := claims["iss"].(string)
	sub, _ := claims["sub"].(string)
	issuer, subject := false, false
	for _, f := range p.Federated {
		if f.Issuer != iss {
			continue
		}
		issuer = true
		if f.Subject != sub {
			continue
		}
		subject = true
		want := f.Audience
		if want == "" {
			want = exchange
		}
		if audiences, err := claims.GetAudience(); err == nil && slices.Contains(audiences, want) {
			return verify(given, jwt.MapClaims{}, f.Key)
		}
	}
	const check = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
	switch {
	case !issuer:
		return refused("invalid_client", 700211, "No matching federated identity record found for presented assertion issuer '%s'. %s", iss, check)
	case !subject:
		return refused("invalid_client", 700213, "No matching federated identity record found for presented assertion subject '%s'. %s", sub, check)
	}
	return refused("invalid_client", 700212, "No matching federated identity record found for presented assertion audience '%v'. %s", claims["aud"], check)
}

// verify checks an assertion's signature and times.
func verify(given string, claims jwt.MapClaims, key crypto.PublicKey) *refusal {
	_, err := jwt.ParseWithClaims(given, claims, func(*jwt.Token) (any, error) { return key, nil }, algorithms(), jwt.WithExpirationRequired(), jwt.WithLeeway(skew))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return refused("invalid_client", 700024, "Client assertion is not within its valid time range. Current time: %s, assertion valid from %s, expiry time of assertion %s. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
			stamp(time.Now()), date(claims.GetNotBefore()), date(claims.GetExpirationTime()))
	}
	return refused("invalid_client", 700027, "Client assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value.].")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

func date(d *jwt.NumericDate, err error) string {
	if err != nil || d == nil {
		return ""
	}
	return stamp(d.Time)
}
