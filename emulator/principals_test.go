package emulator_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/azlin-dev/azlin/emulator"
)

var appKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

// appCert is a certificate of appKey that ends in the year 2001, so that virtual time can get past it.
var appCert = sync.OnceValue(func() *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "app"},
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, appKey().Public(), appKey()))
	return must(x509.ParseCertificate(der))
})

const federatedIssuer, federatedSubject = "https://issuer.example/", "repo:a/b:ref:main"

func appPrincipal() emulator.Principal {
	return emulator.Principal{
		Name: "app", Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: appCert().Raw}),
		Federated: []emulator.Federation{{Issuer: federatedIssuer, Subject: federatedSubject, Key: appKey().Public()}},
	}
}

// assertion is a client assertion that can be spoilt.
type assertion struct {
	method jwt.SigningMethod
	key    any
	header map[string]any
	claims jwt.MapClaims
}

func (r *raw) certificateAssertion() assertion {
	sum := sha256.Sum256(appCert().Raw)
	id := emulator.ClientIDOf("app")
	now := time.Now()
	return assertion{
		method: jwt.SigningMethodPS256, key: appKey(), header: map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])},
		claims: jwt.MapClaims{
			"aud": "https://login.microsoftonline.com/" + r.e.Identity().TenantID + "/oauth2/v2.0/token", "iss": id, "sub": id, "jti": "1",
			"nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
		},
	}
}

func (r *raw) federatedAssertion() assertion {
	now := time.Now()
	return assertion{method: jwt.SigningMethodRS256, key: appKey(), header: map[string]any{}, claims: jwt.MapClaims{
		"aud": "api://AzureADTokenExchange", "iss": federatedIssuer, "sub": federatedSubject, "exp": now.Add(time.Hour).Unix(),
	}}
}

// assert asks for a token with an assertion.
func (r *raw) assert(a assertion) answer {
	r.Helper()
	token := jwt.NewWithClaims(a.method, a.claims)
	maps.Copy(token.Header, a.header)
	return r.assertText(must(token.SignedString(a.key)))
}

func (r *raw) assertText(text string) answer {
	r.Helper()
	return r.form("/"+r.e.Identity().TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {emulator.ClientIDOf("app")}, "scope": {"https://management.azure.com/.default"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {text},
	})
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	appCert() // outside of the bubble
	other := must(rsa.GenerateKey(rand.Reader, 2048))
	elliptical := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, emulator.Options{Principals: []emulator.Principal{appPrincipal()}})
		short := sha1.Sum(appCert().Raw) //nolint:gosec // see above
		long := sha256.Sum256(appCert().Raw)
		for name, c := range map[string]struct {
			spoil  func(a *assertion)
			number string // empty: accepted
		}{
			"PS256 and x5t#S256": {func(*assertion) {}, ""},
			"RS256 and x5t": {func(a *assertion) {
				a.method, a.header = jwt.SigningMethodRS256, map[string]any{"x5t": base64.RawURLEncoding.EncodeToString(short[:])}
			}, ""},
			"the other alphabet": {func(a *assertion) { a.header["x5t#S256"] = base64.StdEncoding.EncodeToString(long[:]) }, ""},
			"audience of adfs":   {func(a *assertion) { a.claims["aud"] = "https://login.microsoftonline.com/adfs/oauth2/token/" }, ""},
			"another key":        {func(a *assertion) { a.key = other }, "AADSTS700027"},
			"another algorithm":  {func(a *assertion) { a.method, a.key = jwt.SigningMethodES256, elliptical }, "AADSTS700027"},
			"the public key as a secret": {func(a *assertion) {
				a.method, a.key = jwt.SigningMethodHS256, must(x509.MarshalPKIXPublicKey(appKey().Public()))
			}, "AADSTS700027"},
			"no signature": {func(a *assertion) { a.method, a.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType }, "AADSTS700027"},
			"another certificate": {func(a *assertion) {
				a.header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(make([]byte, 32))
			}, "AADSTS700027"},
			"expired":         {func(a *assertion) { a.claims["exp"] = time.Now().Add(-time.Hour).Unix() }, "AADSTS700024"},
			"not yet valid":   {func(a *assertion) { a.claims["nbf"] = time.Now().Add(time.Hour).Unix() }, "AADSTS700024"},
			"no end":          {func(a *assertion) { delete(a.claims, "exp") }, "AADSTS700027"},
			"no jti":          {func(a *assertion) { delete(a.claims, "jti") }, "AADSTS50027"},
			"another app":     {func(a *assertion) { a.claims["sub"] = "x" }, "AADSTS700021"},
			"another issuer":  {func(a *assertion) { a.claims["iss"] = "x" }, "AADSTS700021"},
			"another place":   {func(a *assertion) { a.claims["aud"] = "https://login.microsoftonline.us/x/oauth2/token" }, "AADSTS700023"},
			"federated":       {func(a *assertion) { *a = r.federatedAssertion() }, ""},
			"foreign issuer":  {func(a *assertion) { *a = r.federatedAssertion(); a.claims["iss"] = "https://evil.example/" }, "AADSTS700211"},
			"foreign subject": {func(a *assertion) { *a = r.federatedAssertion(); a.claims["sub"] = "repo:a/b:ref:MAIN" }, "AADSTS700213"},
			"foreign key":     {func(a *assertion) { *a = r.federatedAssertion(); a.key = other }, "AADSTS700027"},
			"foreign place":   {func(a *assertion) { *a = r.federatedAssertion(); a.claims["aud"] = "api://x" }, "AADSTS700212"},
			"old federated":   {func(a *assertion) { *a = r.federatedAssertion(); a.claims["exp"] = time.Now().Unix() - 99 }, "AADSTS700024"},
		} {
			a := r.certificateAssertion()
			c.spoil(&a)
			got := r.assert(a)
			text, _ := got.body["error_description"].(string)
			if (got.status == 200) != (c.number == "") || !strings.Contains(text, c.number+":") && c.number != "" {
				t.Errorf("%s: %d %s", name, got.status, got.text)
			}
		}
		for _, text := range []string{"", "garbage", "a.b.c"} {
			if got := r.assertText(text); got.status == 200 {
				t.Errorf("%q was taken", text)
			}
		}
		if tokens := r.e.Counts().Tokens; tokens["certificate"] != 4 || tokens["federated"] != 1 {
			t.Errorf("tokens %v", tokens)
		}
		time.Sleep(400 * 24 * time.Hour) // past the certificate's end
		if got := r.assert(r.certificateAssertion()); got.status != 401 || !strings.Contains(got.text, "AADSTS700027") {
			t.Errorf("an expired certificate: %d %s", got.status, got.text)
		}
	})
}

func FuzzAssertion(f *testing.F) {
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJSUzI1NiIsIng1dCI6IngifQ.eyJhdWQiOiJ4In0.AA")
	appCert()
	e := must(emulator.New(emulator.Options{Principals: []emulator.Principal{appPrincipal()}}))
	f.Fuzz(func(t *testing.T, text string) {
		r := &raw{TB: t, e: e}
		if got := r.assertText(text); got.status < 400 || got.status > 499 {
			t.Errorf("%q: %d %s", text, got.status, got.text)
		}
	})
}

func TestIdentityEndpoints(t *testing.T) {
	t.Parallel()
	r := newRaw(t, emulator.Options{Principals: []emulator.Principal{{Name: "assigned", Managed: true, Assigned: true}}})
	header := r.e.Identity().IdentityHeader
	const (
		service = "https://127.0.0.1:1/msi/token?api-version=2019-08-01&resource=https://management.azure.com/"
		imds    = "https://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"
	)
	for name, c := range map[string]struct {
		url    string
		header []string
		status int
	}{
		"service":                  {service, []string{"X-Identity-Header", header}, 200},
		"service, user-assigned":   {service + "&client_id=" + emulator.ClientIDOf("assigned"), []string{"X-Identity-Header", header}, 200},
		"service, another":         {service + "&client_id=x", []string{"X-Identity-Header", header}, 400},
		"service, a principal":     {service + "&client_id=" + r.e.Identity().ClientID, []string{"X-Identity-Header", header}, 400},
		"service, no header":       {service, nil, 401},
		"service, wrong header":    {service, []string{"X-Identity-Header", "x"}, 401},
		"service, other resource":  {service + "x", []string{"X-Identity-Header", header}, 400},
		"service, no version":      {strings.Replace(service, "api-version", "v", 1), []string{"X-Identity-Header", header}, 400},
		"vm":                       {imds, []string{"Metadata", "true"}, 200},
		"vm, no header":            {imds, nil, 400},
		"vm, forwarded":            {imds, []string{"Metadata", "true", "X-Forwarded-For", "10.0.0.1"}, 400},
		"vm, another":              {imds + "&client_id=x", []string{"Metadata", "true"}, 400},
		"vm, by object id":         {imds + "&object_id=x", []string{"Metadata", "true"}, 400},
		"vm, with its port, no id": {strings.Replace(imds, "254/", "254:80/", 1), []string{"Metadata", "true"}, 200},
	} {
		a := r.do("GET", c.url, "", c.header...)
		if a.status != c.status {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
		if c.status != 200 {
			continue
		}
		token, _ := a.body["access_token"].(string)
		if on, _ := a.body["expires_on"].(string); on == "" || token == "" {
			t.Errorf("%s: %s", name, a.text)
		}
		other := &raw{TB: t, e: r.e, token: token}
		other.ok(other.do("GET", "/subscriptions"+groupV, ""), 200)
	}
	r.e.Disable("identity")
	r.ok(r.do("GET", imds, "", "Metadata", "true"), 400)
}

func TestDevicePolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, emulator.Options{Devices: emulator.DevicePolicy{Polls: 2}})
		begin := func() (func() answer, string) {
			d := r.ok(r.form("/"+r.e.Identity().TenantID+"/oauth2/v2.0/devicecode", url.Values{"client_id": {"c"}}), 200)
			code, _ := d.body["device_code"].(string)
			user, _ := d.body["user_code"].(string)
			return func() answer {
				return r.form("/"+r.e.Identity().TenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code}, "client_id": {"c"}, "scope": {"https://management.azure.com/.default"}})
			}, user
		}
		expect := func(poll func() answer, codes ...string) {
			t.Helper()
			for i, want := range codes {
				a := poll()
				code, _ := a.body["error"].(string)
				if code != want || (a.status == 200) != (want == "") {
					t.Errorf("poll %d: %d %s, want %q", i, a.status, a.text, want)
				}
			}
		}
		poll, _ := begin()
		expect(poll, "authorization_pending", "authorization_pending", "", "bad_verification_code")

		r.e.SetDevices(emulator.DevicePolicy{Hold: true})
		poll, user := begin()
		expect(poll, "authorization_pending")
		if r.e.DecideDevice("nonsense", true) || !r.e.DecideDevice(strings.ToLower(user), true) || r.e.DecideDevice(user, true) {
			t.Error("codes are mixed up")
		}
		expect(poll, "", "bad_verification_code")

		poll, user = begin()
		r.e.DecideDevice(user, false)
		expect(poll, "authorization_declined", "bad_verification_code")

		poll, _ = begin()
		time.Sleep(16 * time.Minute)
		expect(poll, "expired_token", "bad_verification_code")
	})
}

// as signs in as a principal with a secret.
func (r *raw) as(name, secret string) *raw {
	r.Helper()
	a := r.ok(r.form("/"+r.e.Identity().TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {emulator.ClientIDOf(name)}, "client_secret": {secret}, "scope": {"https://management.azure.com/.default"},
	}), 200)
	token, _ := a.body["access_token"].(string)
	return &raw{TB: r.TB, e: r.e, token: token}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		owner := newRaw(t, emulator.Options{Principals: []emulator.Principal{
			{Name: "group", Secret: "a", Roles: []emulator.Role{emulator.Contributor("lab")}},
			{Name: "untagged", Secret: "b", Roles: []emulator.Role{{Actions: []string{"*"}, NotActions: []string{"Microsoft.Resources/tags/*"}}}},
			{Name: "unlinked", Secret: "c", Roles: []emulator.Role{{Actions: []string{"*"}, NotActions: []string{"Microsoft.Network/*/join/action"}}}},
			{Name: "nobody", Secret: "d", Roles: []emulator.Role{}},
		}})
		owner.base()
		owner.ok(owner.do("PUT", "{S}/resourceGroups/other"+groupV, `{"location":"westus2"}`), 201)
		id := emulator.ClientIDOf("group")

		group := owner.as("group", "a")
		for _, c := range []struct {
			method, path, body string
			status             int
			action, scope      string // in the refusal
		}{
			{"GET", "{S}/providers/Microsoft.Compute/virtualMachines" + computeV, "", 403, "Microsoft.Compute/virtualMachines/read", "{S}"},
			{"GET", "{S}/providers/Microsoft.Compute/skus?api-version=2021-07-01", "", 403, "Microsoft.Compute/skus/read", "{S}"},
			{"GET", "{S}/resourceGroups/other" + groupV, "", 403, "Microsoft.Resources/subscriptions/resourceGroups/read", "{S}/resourceGroups/other"},
			// Whether it exists is not told.
			{"GET", "{S}/resourceGroups/none/providers/Microsoft.Compute/virtualMachines/v" + computeV, "", 403, "Microsoft.Compute/virtualMachines/read", "{S}/resourceGroups/none/providers/Microsoft.Compute/virtualMachines/v"},
			{"PUT", "{S}/resourceGroups/new" + groupV, `{"location":"westus2"}`, 403, "Microsoft.Resources/subscriptions/resourceGroups/write", "{S}/resourceGroups/new"},
			{"POST", "{S}/resourceGroups/other/providers/Microsoft.Compute/virtualMachines/v/start" + computeV, "", 403, "Microsoft.Compute/virtualMachines/start/action", "{S}/resourceGroups/other/providers/Microsoft.Compute/virtualMachines/v"},
			{"PUT", "{G}/providers/Microsoft.Authorization/locks/l?api-version=2020-05-01", `{"properties":{"level":"CanNotDelete"}}`, 403, "Microsoft.Authorization/locks/write", "{G}"},
			{"GET", "{G}" + groupV, "", 200, "", ""},
			{"GET", "{G}/providers/Microsoft.Compute/virtualMachines" + computeV, "", 200, "", ""},
			{"GET", "{S}" + groupV, "", 200, "", ""},
			{"GET", "/subscriptions" + groupV, "", 200, "", ""},
			{"GET", netRP + "networkInterfaces/nic" + networkV, "", 200, "", ""},
		} {
			a := group.do(c.method, c.path, c.body)
			if a.status != c.status {
				t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.text)
				continue
			}
			if c.status != 403 {
				continue
			}
			want := group.path("action '" + c.action + "' over scope '" + c.scope + "' or the scope is invalid. If access was recently granted, please refresh your credentials.")
			if a.code() != "AuthorizationFailed" || !strings.Contains(strings.ToLower(a.text), strings.ToLower(want)) || !strings.Contains(a.text, "The client '"+id+"' with object id '") {
				t.Errorf("%s %s: %s", c.method, c.path, a.text)
			}
		}
		// Lists of groups and resources leave out what is not his.
		if a := group.ok(group.do("GET", "{S}/resourcegroups"+groupV, ""), 200); !strings.Contains(a.text, `"lab"`) || strings.Contains(a.text, `"other"`) {
			t.Errorf("groups: %s", a.text)
		}
		if a := group.ok(group.do("GET", "{S}/resources"+groupV, ""), 200); !strings.Contains(a.text, `"nic"`) {
			t.Errorf("resources: %s", a.text)
		}
		nobody := owner.as("nobody", "d")
		nobody.ok(nobody.do("GET", "{S}"+groupV, ""), 403)

		// The permissions that he is told are those that count.
		const v = "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
		for path, want := range map[string]bool{"{G}": true, "{S}": false, "{S}/resourceGroups/other": false} {
			a := group.ok(group.do("GET", path+v, ""), 200)
			if got := strings.Contains(a.text, `"actions":["*"]`) && strings.Contains(a.text, "Microsoft.Authorization/*/Write"); got != want {
				t.Errorf("permissions at %s: %s", path, a.text)
			}
		}
		if a := owner.ok(owner.do("GET", "{S}"+v, ""), 200); !strings.Contains(a.text, `"actions":["*"],"dataActions":[],"notActions":[]`) {
			t.Errorf("permissions of the owner: %s", a.text)
		}

		untagged := owner.as("untagged", "b")
		if a := untagged.do("PATCH", "{G}/providers/Microsoft.Resources/tags/default"+groupV, `{"operation":"Merge","properties":{"tags":{"a":"b"}}}`); a.status != 403 || !strings.Contains(a.text, "Microsoft.Resources/tags/write") {
			t.Errorf("tags: %d %s", a.status, a.text)
		}
		untagged.ok(untagged.do("PUT", "{S}/resourceGroups/tagged"+groupV, `{"location":"westus2","tags":{"a":"b"}}`), 201)

		// Links to other resources need rights on those.
		unlinked := owner.as("unlinked", "c")
		a := unlinked.do("PUT", netRP+"networkInterfaces/two"+networkV, nicBody(""))
		want := group.path("however, it does not have permission to perform action 'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '{G}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/default'")
		if a.status != 403 || a.code() != "LinkedAuthorizationFailed" || !strings.Contains(a.text, want) {
			t.Errorf("a link: %d %s", a.status, a.text)
		}

		// Rights change at once.
		if err := owner.e.PutPrincipal(emulator.Principal{Name: "group", Secret: "a", Roles: []emulator.Role{emulator.Reader("")}}); err != nil {
			t.Fatal(err)
		}
		group.ok(group.do("GET", "{S}/resourceGroups/other"+groupV, ""), 200)
		group.ok(group.do("DELETE", "{G}"+groupV, ""), 403)
		if n := owner.e.Counts().Actions["Microsoft.Network/virtualNetworks/subnets/join/action"]["group"]; n == 0 {
			t.Errorf("granted: %v", owner.e.Counts().Actions)
		}
	})
}

func TestPrincipalsAreChecked(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]emulator.Principal{"no name": {}, "no certificate": {Name: "x", Certificate: []byte("x")}} {
		if e, err := emulator.New(emulator.Options{Principals: []emulator.Principal{p}}); err == nil {
			t.Errorf("%s was taken", name)
			_ = e.Close()
		}
	}
	r := newRaw(t, emulator.Options{})
	r.e.Disable("")
	id := r.e.Identity()
	a := r.form("/"+id.TenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id.ClientID}, "client_secret": {id.ClientSecret}, "scope": {"https://management.azure.com/.default"}})
	if a.status != 400 || !strings.Contains(a.text, "AADSTS7000112") {
		t.Errorf("disabled: %d %s", a.status, a.text)
	}
	r.e.Challenge()
	if a := r.do("GET", "/subscriptions"+groupV, ""); a.status != 401 || !strings.Contains(a.header.Get("Www-Authenticate"), `error="insufficient_claims", claims="`) {
		t.Errorf("challenged: %d %v", a.status, a.header)
	}
}
