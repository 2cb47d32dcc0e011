package emulator_test

import (
	"maps"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

func TestSignInRefusals(t *testing.T) {
	t.Parallel()
	r := newRaw(t, emulator.Options{})
	id := r.e.Identity()
	good := url.Values{"grant_type": {"client_credentials"}, "client_id": {id.ClientID}, "client_secret": {id.ClientSecret}, "scope": {"https://management.azure.com/.default openid offline_access profile"}}
	for _, c := range []struct {
		name, tenant, key, value string
		status                   int
		code, number             string
	}{
		{"secret", id.TenantID, "client_secret", "wrong", 401, "invalid_client", "AADSTS7000215"},
		{"client", id.TenantID, "client_id", "11111111-1111-1111-1111-111111111111", 400, "unauthorized_client", "AADSTS700016"},
		{"tenant", "11111111-1111-1111-1111-111111111111", "", "", 400, "invalid_request", "AADSTS90002"},
		{"scope", id.TenantID, "scope", "nonsense", 400, "invalid_scope", "AADSTS70011"},
		{"two scopes", id.TenantID, "scope", "https://a/.default https://b/.default", 400, "invalid_scope", "AADSTS70011"},
		{"resource", id.TenantID, "scope", "https://elsewhere.example/.default", 400, "invalid_resource", "AADSTS500011"},
		{"grant", id.TenantID, "grant_type", "magic", 400, "unsupported_grant_type", "AADSTS70003"},
		{"refresh", id.TenantID, "grant_type", "refresh_token", 400, "invalid_grant", "AADSTS70043"},
		{"double slash", id.TenantID, "scope", "https://management.azure.com//.default", 200, "", ""},
	} {
		v := url.Values{}
		maps.Copy(v, good)
		if c.key != "" {
			v.Set(c.key, c.value)
		}
		a := r.form("/"+c.tenant+"/oauth2/v2.0/token", v)
		code, _ := a.body["error"].(string)
		text, _ := a.body["error_description"].(string)
		if a.status != c.status || code != c.code || !strings.Contains(text, c.number) {
			t.Errorf("%s: %d %s", c.name, a.status, a.text)
		}
		if strings.Contains(a.text, id.ClientSecret) {
			t.Errorf("%s: the answer holds the secret", c.name)
		}
	}
}

func TestDeviceCode(t *testing.T) {
	t.Parallel()
	r := newRaw(t, emulator.Options{})
	d := r.form("/adfs/oauth2/devicecode", url.Values{"client_id": {"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}})
	code, _ := d.body["device_code"].(string)
	v := url.Values{"grant_type": {"device_code"}, "device_code": {code}, "client_id": {"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, "scope": {"https://management.azure.com/.default"}}
	a := r.ok(r.form("/adfs/oauth2/token/", v), 200)
	r.token, _ = a.body["access_token"].(string)
	r.ok(r.do("GET", "/subscriptions"+groupV, ""), 200)
	r.ok(r.form("/adfs/oauth2/token/", v), 400) // a code is good for once
	refresh, _ := a.body["refresh_token"].(string)
	r.ok(r.form("/adfs/oauth2/token/", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "scope": {"https://management.azure.com/.default"}}), 200)
	r.token = refresh
	if a := r.ok(r.do("GET", "/subscriptions"+groupV, ""), 401); a.code() != "InvalidAuthenticationTokenAudience" {
		t.Errorf("a refresh token as access token: %s", a.text)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, emulator.Options{TokenLifetime: 10 * time.Minute})
		good := r.token
		for token, code := range map[string]string{
			"": "AuthenticationFailed", "garbage": "InvalidAuthenticationToken", good + "x": "InvalidAuthenticationToken",
			good[:strings.LastIndexByte(good, '.')+1]: "InvalidAuthenticationToken",
		} {
			r.token = token
			a := r.ok(r.do("GET", "/subscriptions"+groupV, ""), 401)
			if a.code() != code || !strings.HasPrefix(a.header.Get("Www-Authenticate"), "Bearer authorization_uri=") {
				t.Errorf("token %.10q: %s %v", token, a.text, a.header)
			}
		}
		r.token = good
		r.ok(r.do("GET", "/subscriptions"+groupV, ""), 200)
		r.e.Advance(time.Hour) // moves the cloud's time, not that of tokens
		r.ok(r.do("GET", "/subscriptions"+groupV, ""), 200)
		time.Sleep(11 * time.Minute)
		if a := r.ok(r.do("GET", "/subscriptions"+groupV, ""), 401); a.code() != "ExpiredAuthenticationToken" {
			t.Errorf("expired: %s", a.text)
		}
		other := newRaw(t, emulator.Options{})
		r.token = other.token
		if a := r.ok(r.do("GET", "/subscriptions"+groupV, ""), 401); a.code() != "InvalidAuthenticationToken" {
			t.Errorf("another emulator's token: %s", a.text)
		}
	})
}
