// Package entra emulates as much of Microsoft Entra ID as signing in needs: OIDC discovery, the token
// endpoint for service principals (secrets, certificates, federated tokens), users and device codes,
// the endpoints of managed identities, and the check of the tokens it gave out.
//
// Tokens are signed with a secret of this server, so only it can check them; there is one user, and
// there are no directories, consents or conditional access beside a claims challenge.
package entra

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Options set up a Server.
type Options struct {
	TenantID     string
	ClientID     string // of the default service principal
	ClientSecret string
	ObjectID     string        // of the same
	Principals   []Principal   // beside the default one
	UserID       string        // object id of the user who signs in with a device code
	UserName     string        // of the same
	Key          []byte        // signs tokens; at least 32 bytes
	Lifetime     time.Duration // of access tokens; 0: one hour
	Devices      DevicePolicy
	// IdentityHeader is what the App Service identity endpoint wants to see; empty: it serves nobody.
	IdentityHeader string
	// Shared says that VMs and other users of this machine reach the server. Then the identity endpoint of a VM wants the
	// identity header too, as the network does not say who asks.
	Shared bool
	// Audiences are the resources that tokens are given for, beside the server's own endpoint.
	Audiences []string
}

// Server answers as Entra ID does.
type Server struct {
	opt        Options
	mu         sync.Mutex
	principals []Principal
	disabled   map[string]bool    // by object id
	devices    map[string]*device // by device code
	issued     map[string]int
	serial     int64 // of the last access token
	challenged int64 // access tokens with a lower serial are challenged
	nbf        int64 // what the challenge asks for
}

// New makes a Server.
func New(opt Options) *Server {
	if opt.Lifetime == 0 {
		opt.Lifetime = time.Hour
	}
	s := &Server{opt: opt, disabled: map[string]bool{}, devices: map[string]*device{}, issued: map[string]int{}}
	s.principals = append(s.principals, Principal{Name: "azlin", ClientID: opt.ClientID, ObjectID: opt.ObjectID, Secrets: []string{opt.ClientSecret}})
	s.principals = append(s.principals, opt.Principals...)
	return s
}

// Handles reports whether a path is one of Entra ID's, not of Azure Resource Manager.
func Handles(path string) bool {
	if isIdentity(path) {
		return true
	}
	seg := strings.Split(strings.Trim(path, "/"), "/")
	switch strings.ToLower(seg[0]) {
	case "adfs", "common":
		return true
	}
	if len(seg) < 3 {
		return false
	}
	return seg[1] == "v2.0" || seg[1] == "oauth2" || seg[1] == "discovery" || seg[1] == ".well-known"
}

// headers sets what every answer at a path carries, as recorded.
func headers(h http.Header, path string) {
	path = strings.ToLower(path)
	h.Set("Content-Type", "application/json; charset=utf-8")
	switch {
	case path == IdentityPath:
		h.Set("Content-Type", "application/json")
		return
	case path == IMDSPath:
		return
	case strings.HasPrefix(path, "/adfs/"):
		h.Set("Content-Type", "application/json; charset=UTF-8")
		h.Set("Strict-Transport-Security", "max-age = 31536000")
		if strings.Contains(path, "/oauth2/") {
			h.Set("Cache-Control", "no-store")
			h.Set("Pragma", "no-cache")
		}
	default:
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		h.Set("X-Ms-Request-Id", uuid.NewString())
		if !strings.Contains(path, "/oauth2/") {
			h.Set("Cache-Control", "max-age=86400, private")
			break
		}
		h.Set("Cache-Control", "no-store, no-cache")
		h.Set("Pragma", "no-cache")
		h.Set("Expires", "-1")
	}
	h.Set("X-Content-Type-Options", "nosniff")
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	headers(w.Header(), r.URL.Path)
	if isIdentity(r.URL.Path) {
		s.identity(w, r)
		return
	}
	path := strings.ToLower(strings.Trim(r.URL.Path, "/"))
	tenant, rest, _ := strings.Cut(path, "/")
	if tenant == "adfs" {
		// Names of tenants are looked up below /adfs too.
		if t, more, ok := strings.Cut(rest, "/"); ok && strings.HasSuffix(more, ".well-known/openid-configuration") {
			tenant, rest = t, more
		}
	}
	switch {
	case rest == "discovery/instance":
		s.instance(w, r)
	case !s.known(tenant):
		fail(w, http.StatusBadRequest, "invalid_request", 90002,
			"Tenant '"+tenant+"' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.")
	case strings.HasSuffix(rest, ".well-known/openid-configuration"):
		s.discovery(w, r, tenant)
	case strings.HasSuffix(rest, "discovery/v2.0/keys") || rest == "discovery/keys":
		send(w, http.StatusOK, map[string]any{"keys": []any{}})
	case strings.HasSuffix(rest, "devicecode"):
		s.device(w, r)
	case rest == devicePage:
		s.devicePage(w, r)
	case strings.HasSuffix(rest, "token"):
		s.token(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) known(tenant string) bool {
	switch tenant {
	case "adfs", "common", "organizations", strings.ToLower(s.opt.TenantID), "local.onmicrosoft.com":
		return true
	}
	return false
}

func (s *Server) instance(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	send(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": "https://" + host + "/" + s.opt.TenantID + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1", "metadata": []any{map[string]any{"preferred_network": host, "preferred_cache": host, "aliases": []string{host}}},
	})
}

func (s *Server) discovery(w http.ResponseWriter, r *http.Request, tenant string) {
	base := "https://" + r.Host + "/" + s.opt.TenantID
	token, authorize, device, issuer, keys := base+"/oauth2/v2.0/token", base+"/oauth2/v2.0/authorize", base+"/oauth2/v2.0/devicecode", base+"/v2.0", base+"/discovery/v2.0/keys"
	if strings.HasPrefix(strings.ToLower(r.URL.Path), "/adfs/") {
		base = "https://" + r.Host + "/adfs"
		token, authorize, device, issuer, keys = base+"/oauth2/token/", base+"/oauth2/authorize/", base+"/oauth2/devicecode", base, base+"/discovery/keys"
		if tenant != "adfs" {
			issuer = "https://" + r.Host + "/" + s.opt.TenantID + "/"
		}
	}
	o := map[string]any{
		"issuer": issuer, "authorization_endpoint": authorize, "token_endpoint": token, "device_authorization_endpoint": device,
		"jwks_uri": keys, "token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_types_supported": []string{"code", "id_token", "code id_token", "id_token token"}, "subject_types_supported": []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"HS256"}, "scopes_supported": []string{"openid", "profile", "email", "offline_access"},
	}
	if !strings.HasPrefix(strings.ToLower(r.URL.Path), "/adfs/") {
		o["tenant_region_scope"], o["cloud_instance_name"] = "NA", "microsoftonline.com"
	}
	send(w, http.StatusOK, o)
}

// same compares secrets without telling by the time how far they agree.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func send(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone: nothing to be done
}

func random() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // does not fail
	return base64.RawURLEncoding.EncodeToString(b)
}
