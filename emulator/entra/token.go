package entra

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// fail answers in the form of OAuth, with Entra ID's number.
func fail(w http.ResponseWriter, status int, code string, number int, text string) {
	trace, correlation := uuid.NewString(), uuid.NewString()
	now := time.Now().UTC().Format("2006-01-02 15:04:05Z")
	send(w, status, map[string]any{
		"error": code, "error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, text, trace, correlation, now),
		"error_codes": []int{number}, "timestamp": now, "trace_id": trace, "correlation_id": correlation,
	})
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		fail(w, http.StatusBadRequest, "invalid_request", 900561, "The endpoint only accepts POST requests. Received a "+r.Method+" request.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, "invalid_request", 900144, "The request body could not be read.")
		return
	}
	client := r.PostForm.Get("client_id")
	switch grant := r.PostForm.Get("grant_type"); grant {
	case "client_credentials":
		s.principal(w, r, client)
	case "refresh_token":
		claims, err := s.parse(r.PostForm.Get("refresh_token"))
		if of, _ := claims["appid"].(string); err != nil || claims["use"] != "refresh" || of != "" && client != "" && of != client {
			fail(w, http.StatusBadRequest, "invalid_grant", 70043, "The refresh token has expired or is invalid.")
			return
		}
		s.user(w, r, client, "refresh_token")
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code":
		if s.poll(w, r, client) {
			s.user(w, r, client, "device_code")
		}
	case "password":
		if !strings.EqualFold(r.PostForm.Get("username"), s.opt.UserName) || !same(r.PostForm.Get("password"), s.opt.ClientSecret) {
			fail(w, http.StatusBadRequest, "invalid_grant", 50126, "Error validating credentials due to invalid username or password.")
			return
		}
		s.user(w, r, client, "password")
	default:
		fail(w, http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '"+grant+"'.")
	}
}

// principal gives a service principal its token.
func (s *Server) principal(w http.ResponseWriter, r *http.Request, client string) {
	p, ok := s.find(client)
	if !ok {
		fail(w, http.StatusBadRequest, "unauthorized_client", 700016, "Application with identifier '"+client+"' was not found in the directory 'Local'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.")
		return
	}
	if s.isDisabled(p.ObjectID) {
		fail(w, http.StatusBadRequest, "unauthorized_client", 7000112, "Application '"+client+"'("+p.Name+") is disabled.")
		return
	}
	how := "secret"
	if given := r.PostForm.Get("client_assertion"); given != "" || r.PostForm.Get("client_assertion_type") != "" {
		if r.PostForm.Get("client_assertion_type") != assertionType {
			fail(w, http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'client_assertion_type' with value '"+assertionType+"'.")
			return
		}
		var no *refusal
		if how, no = s.assertion(p, given, r.Host); no != nil {
			fail(w, http.StatusUnauthorized, no.code, no.number, no.text)
			return
		}
	} else if !slices.ContainsFunc(p.Secrets, func(secret string) bool { return same(r.PostForm.Get("client_secret"), secret) }) {
		fail(w, http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '"+client+"'.")
		return
	}
	aud, ok := s.audience(w, r)
	if !ok {
		return
	}
	s.tally(how, r)
	send(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": s.seconds(), "ext_expires_in": s.seconds(), "access_token": s.access(p, aud)})
}

// refreshLife is how long a refresh token is good for.
const refreshLife = 90 * 24 * time.Hour

// tally counts a token, and whether a challenge was answered with it.
func (s *Server) tally(how string, r *http.Request) {
	s.count(how)
	if strings.Contains(r.PostForm.Get("claims"), `"nbf"`) {
		s.count("claims")
	}
}

// access is an application's access token.
func (s *Server) access(p Principal, aud string) string {
	claims := map[string]any{"aud": aud, "appid": p.ClientID, "appidacr": "1", "oid": p.ObjectID, "sub": p.ObjectID, "idtyp": "app", "ver": "1.0", "serial": s.next()}
	if p.Managed {
		claims["appidacr"] = "2"
	}
	return s.sign(claims, s.opt.Lifetime)
}

// next is the serial number of an access token.
func (s *Server) next() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return s.serial
}

// user gives the one user tokens.
func (s *Server) user(w http.ResponseWriter, r *http.Request, client, how string) {
	if s.isDisabled(s.opt.UserID) {
		fail(w, http.StatusBadRequest, "invalid_grant", 50057, "The user account is disabled.")
		return
	}
	aud, ok := s.audience(w, r)
	if !ok {
		return
	}
	s.tally(how, r)
	who := map[string]any{"oid": s.opt.UserID, "sub": s.opt.UserID, "upn": s.opt.UserName, "preferred_username": s.opt.UserName, "name": "Local Developer"}
	access := map[string]any{"aud": aud, "appid": client, "scp": "user_impersonation", "idtyp": "user", "ver": "1.0", "serial": s.next()}
	maps.Copy(access, who)
	id := map[string]any{"aud": client, "ver": "2.0"}
	maps.Copy(id, who)
	info, _ := json.Marshal(map[string]string{"uid": s.opt.UserID, "utid": s.opt.TenantID}) // cannot fail
	o := map[string]any{
		"token_type": "Bearer", "scope": r.PostForm.Get("scope"), "expires_in": s.seconds(),
		"access_token": s.sign(access, s.opt.Lifetime), "id_token": s.sign(id, s.opt.Lifetime),
		"refresh_token": s.sign(map[string]any{"use": "refresh", "sub": s.opt.UserID, "appid": client}, refreshLife),
	}
	if strings.HasPrefix(strings.ToLower(r.URL.Path), "/adfs/") {
		o["token_type"], o["resource"], o["refresh_token_expires_in"] = "bearer", aud, int(refreshLife/time.Second)
	} else {
		o["ext_expires_in"], o["client_info"] = s.seconds(), base64.RawURLEncoding.EncodeToString(info)
	}
	send(w, http.StatusOK, o)
}

func (s *Server) seconds() int { return int(s.opt.Lifetime/time.Second) - 1 }

// audience finds the one resource in a request's scopes. A doubled slash is not an error: az sends it.
func (s *Server) audience(w http.ResponseWriter, r *http.Request) (string, bool) {
	scopes := strings.Fields(r.PostForm.Get("scope"))
	if res := r.PostForm.Get("resource"); res != "" {
		scopes = append(scopes, strings.TrimRight(res, "/")+"/.default")
	}
	found := ""
	for _, sc := range scopes {
		switch sc {
		case "openid", "offline_access", "profile", "email":
			continue
		}
		at := strings.LastIndexByte(sc, '/')
		if at < 0 || found != "" {
			fail(w, http.StatusBadRequest, "invalid_scope", 70011, "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope "+r.PostForm.Get("scope")+" is not valid.")
			return "", false
		}
		found = strings.TrimRight(sc[:at], "/")
	}
	if found == "" {
		fail(w, http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'scope'.")
		return "", false
	}
	if !s.accepts(found, r.Host) && !strings.HasPrefix(found, "https://"+r.Host+"/") {
		fail(w, http.StatusBadRequest, "invalid_resource", 500011, "The resource principal named "+found+" was not found in the tenant named Local.")
		return "", false
	}
	return found, true
}

// accepts reports whether an audience is this cloud's resource manager.
func (s *Server) accepts(aud, host string) bool {
	aud = strings.ToLower(strings.TrimRight(aud, "/"))
	return aud == "https://"+strings.ToLower(host) || slices.ContainsFunc(s.opt.Audiences, func(a string) bool {
		return strings.ToLower(strings.TrimRight(a, "/")) == aud
	})
}

func (s *Server) sign(claims map[string]any, life time.Duration) string {
	now := time.Now()
	c := jwt.MapClaims{
		"iss": "https://sts.windows.net/" + s.opt.TenantID + "/", "tid": s.opt.TenantID, "iat": now.Unix(), "nbf": now.Unix(),
		"exp": now.Add(life).Unix(), "uti": random()[:22],
	}
	maps.Copy(c, claims)
	t, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(s.opt.Key)
	if err != nil {
		return "" // only a claim that JSON cannot write would do this, and there is none
	}
	return t
}

func (s *Server) parse(token string) (jwt.MapClaims, error) {
	c := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return s.opt.Key, nil }, jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	return c, err
}
