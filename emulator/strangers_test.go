//go:build unix

package emulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// stranger is a program on this machine, or in a VM, that reaches the emulator and can read none of its files but the
// certificate.
type stranger struct {
	*testing.T
	base string
	http *http.Client
}

func strangerTo(t *testing.T, st emulator.Status) *stranger {
	t.Helper()
	pem, err := os.ReadFile(st.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	hc := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(hc.CloseIdleConnections)
	return &stranger{T: t, base: st.Endpoint, http: hc}
}

func (s *stranger) get(path string, header ...string) (int, map[string]any) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.base+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return s.send(req)
}

func (s *stranger) post(path string, form url.Values) (int, map[string]any) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.send(req)
}

func (s *stranger) send(req *http.Request) (int, map[string]any) {
	s.Helper()
	resp, err := s.http.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	var o map[string]any
	_ = json.Unmarshal(data, &o) // pages are no JSON
	return resp.StatusCode, o
}

// code asks for a device code, and returns how to ask for its token.
func (s *stranger) code(begin, token string) (user string, poll func() (int, map[string]any)) {
	s.Helper()
	const client = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	status, d := s.post(begin, url.Values{"client_id": {client}, "scope": {"https://management.azure.com/.default"}})
	device, _ := d["device_code"].(string)
	user, _ = d["user_code"].(string)
	if status != http.StatusOK || device == "" || user == "" {
		s.Fatalf("%s: %d %v", begin, status, d)
	}
	return user, func() (int, map[string]any) {
		return s.post(token, url.Values{"grant_type": {"device_code"}, "device_code": {device}, "client_id": {client}, "scope": {"https://management.azure.com/.default"}})
	}
}

// TestStrangersGetNoToken: who reaches the emulator's port and has no secret of its files, such as another user of this
// machine or the code in a VM, gets no token. The owner does.
func TestStrangersGetNoToken(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	st, err := emulator.Start(ctx, starter(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulator.Stop(context.Background(), dir) })
	s := strangerTo(t, st)

	const imds = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"
	for _, header := range [][]string{{"Metadata", "true"}, {"Metadata", "true", "X-Identity-Header", "guess"}} {
		if status, o := s.get(imds, header...); status != http.StatusUnauthorized || o["access_token"] != nil {
			t.Errorf("the identity endpoint answers a stranger %d %v", status, o)
		}
	}
	var header []byte
	for _, who := range st.Principals {
		if who.IdentityHeaderFile != "" {
			if header, err = os.ReadFile(who.IdentityHeaderFile); err != nil {
				t.Fatal(err)
			}
		}
	}
	if status, o := s.get(imds, "Metadata", "true", "X-Identity-Header", string(header)); status != http.StatusOK || o["access_token"] == nil {
		t.Errorf("the identity endpoint answers the owner %d %v", status, o)
	}

	secret, err := os.ReadFile(st.ClientSecretFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range [][2]string{{"/common/oauth2/v2.0/devicecode", "/common/oauth2/v2.0/token"}, {"/adfs/oauth2/devicecode", "/adfs/oauth2/token/"}} {
		user, poll := s.code(where[0], where[1])
		pending := func(after string) {
			t.Helper()
			for range 3 {
				if status, o := poll(); status != http.StatusBadRequest || o["error"] != "authorization_pending" {
					t.Fatalf("%s, after %s: a stranger is answered %d %v", where[1], after, status, o)
				}
			}
		}
		pending("nothing")
		if status, _ := s.post("/common/oauth2/deviceauth", url.Values{"user_code": {user}, "password": {"guess"}}); status != http.StatusUnauthorized {
			t.Errorf("the page answers a wrong secret %d", status)
		}
		pending("a wrong secret")
		if status, _ := s.post("/common/oauth2/deviceauth", url.Values{"user_code": {user}, "password": {string(secret)}}); status != http.StatusOK {
			t.Errorf("the page answers the owner %d", status)
		}
		if status, o := poll(); status != http.StatusOK || o["access_token"] == nil {
			t.Errorf("the owner's device is answered %d %v", status, o)
		}
	}

	// The owner who does not name a code must not approve that of somebody else.
	_, own := s.code("/common/oauth2/v2.0/devicecode", "/common/oauth2/v2.0/token")
	_, foreign := s.code("/common/oauth2/v2.0/devicecode", "/common/oauth2/v2.0/token")
	if err := emulator.DecideDevice(ctx, dir, "", true); err == nil {
		t.Error("one of two codes was approved without being named")
	}
	for _, poll := range []func() (int, map[string]any){own, foreign} {
		if status, o := poll(); status != http.StatusBadRequest {
			t.Errorf("a code that nobody named: %d %v", status, o)
		}
	}
}
