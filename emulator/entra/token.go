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
	send(w, status, map[string]any{"error": code, "error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, text, trace, correlation, now),
		"error_codes": []int{number}, "timestamp": now, "trace_id": trace, "correlation_id": correlation})
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
		if claims, err := s.parse(r.PostForm.Get("refresh_token")); err != nil || claims["use"] != "refresh" {
			fail(w, http.StatusBadRequest, "invalid_grant", 70043, "The refresh token has expired or is invalid.")
			return
		}
		s.user(w, r, client)
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code":
		code := r.PostForm.Get("device_code")
		if code == "" {
			code = r.PostForm.Get("code")
		}
		s.mu.Lock()
		until, ok := s.devices[code]
		delete(s.devices, code)
		s.mu.Unlock()
		if !ok || time.Now().After(until) {
			fail(w, http.StatusBadRequest, "expired_token", 70019, "Verification code expired.")
			return
		}
		s.user(w, r, client)
	case "password":
		if !strings.EqualFold(r.PostForm.Get("username"), s.opt.UserName) || !same(r.PostForm.Get("password"), s.opt.ClientSecret) {
			fail(w, http.StatusBadRequest, "invalid_grant", 50126, "Error validating credentials due to invalid username or password.")
			return
		}
		s.user(w, r, client)
	default:
		fail(w, http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '"+grant+"'.")
	}
}

// principal gives a service principal its token.
func (s *Server) principal(w http.ResponseWriter, r *http.Request, client string) {
	if !strings.EqualFold(client, s.opt.ClientID) {
		fail(w, http.StatusBadRequest, "unauthorized_client", 700016, "Application with identifier '"+client+"' was not found in the directory 'Local'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.")
		return
	}
	if !same(r.PostForm.Get("client_secret"), s.opt.ClientSecret) {
		fail(w, http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '"+client+"'.")
		return
	}
	aud, ok := s.audience(w, r)
	if !ok {
		return
	}
	send(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": s.seconds(), "ext_expires_in": s.seconds(),
		"access_token": s.sign(map[string]any{"aud": aud, "appid": s.opt.ClientID, "appidacr": "1", "oid": s.opt.ObjectID, "sub": s.opt.ObjectID, "idtyp": "app", "ver": "1.0"}, s.opt.Lifetime)})
}

// user gives the one user tokens.
func (s *Server) user(w http.ResponseWriter, r *http.Request, client string) {
	aud, ok := s.audience(w, r)
	if !ok {
		return
	}
	who := map[string]any{"oid": s.opt.UserID, "sub": s.opt.UserID, "upn": s.opt.UserName, "preferred_username": s.opt.UserName, "name": "Local Developer"}
	access := map[string]any{"aud": aud, "appid": client, "scp": "user_impersonation", "idtyp": "user", "ver": "1.0"}
	maps.Copy(access, who)
	id := map[string]any{"aud": client, "ver": "2.0"}
	maps.Copy(id, who)
	info, _ := json.Marshal(map[string]string{"uid": s.opt.UserID, "utid": s.opt.TenantID}) // cannot fail
	send(w, http.StatusOK, map[string]any{"token_type": "Bearer", "scope": r.PostForm.Get("scope"), "expires_in": s.seconds(), "ext_expires_in": s.seconds(),
		"access_token": s.sign(access, s.opt.Lifetime), "id_token": s.sign(id, s.opt.Lifetime), "client_info": base64.RawURLEncoding.EncodeToString(info),
		"refresh_token": s.sign(map[string]any{"use": "refresh", "sub": s.opt.UserID}, 90*24*time.Hour)})
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

func (s *Server) device(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, "invalid_request", 900144, "The request body could not be read.")
		return
	}
	code := random()
	s.mu.Lock()
	s.devices[code] = time.Now().Add(15 * time.Minute)
	s.mu.Unlock()
	user := strings.ToUpper(strings.NewReplacer("-", "A", "_", "B").Replace(code[:9]))
	url := "https://" + r.Host + "/common/oauth2/deviceauth"
	send(w, http.StatusOK, map[string]any{"device_code": code, "user_code": user, "verification_uri": url, "verification_url": url, "expires_in": 900, "interval": 1,
		"message": "To sign in, use a web browser to open the page " + url + " and enter the code " + user + " to authenticate. (The emulator signs you in without it.)"})
}

func (s *Server) sign(claims map[string]any, life time.Duration) string {
	now := time.Now()
	c := jwt.MapClaims{"iss": "https://sts.windows.net/" + s.opt.TenantID + "/", "tid": s.opt.TenantID, "iat": now.Unix(), "nbf": now.Unix(),
		"exp": now.Add(life).Unix(), "uti": random()[:22]}
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
