package record_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/record"
)

// exchange sends one request through a recorded handler and returns what was recorded.
func exchange(t *testing.T, r *http.Request, answer http.HandlerFunc) (record.Exchange, string) {
	t.Helper()
	var out bytes.Buffer
	record.Handler(answer, &out, nil).ServeHTTP(httptest.NewRecorder(), r)
	var x record.Exchange
	if err := json.Unmarshal(out.Bytes(), &x); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return x, out.String()
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	const jwt = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0cGF5bG9hZA.c2VjcmV0c2ln"
	for name, c := range map[string]struct {
		method, url, typ, body, answer string
		secrets                        []string
		kept                           []string
	}{
		"sign-in": {
			"POST", "/t/oauth2/v2.0/token", "application/x-www-form-urlencoded", "grant_type=client_credentials&client_secret=s3cr3t&client_assertion=asse&scope=x%2F.default",
			`{"token_type":"Bearer","access_token":"t0k3n","refresh_token":"r3fr3sh","expires_in":3599}`,
			[]string{"s3cr3t", "asse&", "t0k3n", "r3fr3sh"},
			[]string{"grant_type=client_credentials", "scope=x%2F.default", `"expires_in":3599`},
		},
		"VM": {
			"PUT", "/v?api-version=1", "application/json", `{"properties":{"osProfile":{"customData":"Y2xvdWQ=","adminPassword":"pa55","adminUsername":"me","secrets":[]},"userData":"dXNlcg=="}}`, `{"error":{"code":"ResourceNotFound","message":"m"}}`,
			[]string{"Y2xvdWQ=", "pa55", "dXNlcg=="},
			[]string{"adminUsername", "ResourceNotFound", "api-version=1", `"secrets":[]`},
		},
		"deployment": {
			"PUT", "/d", "application/json", `{"properties":{"template":{"parameters":{"hidden":{"type":"secureString"},"open":{"type":"string"}}},"parameters":{"hidden":{"value":"h1dd3n"},"open":{"value":"0p3n"}}}}`, `{}`,
			[]string{"h1dd3n"},
			[]string{"0p3n"},
		},
		"loose": {"PUT", "/d", "application/json", `{"properties": {template:{ // all of it` + "\n" + `customData: 'bG9vc2U=', "adminPassword" : "l00se", "name": "kept"}}}`, `{}`, []string{"bG9vc2U=", "l00se"}, []string{"kept"}},
		"keys":  {"POST", "/a/listKeys", "application/json", ``, `{"keys":[{"keyName":"key1","value":"QUNDT1VOVA==","permissions":"FULL"}]}`, []string{"QUNDT1VOVA=="}, []string{"key1", "FULL"}},
		"blobs": {"POST", "/b", "application/json", ``, `{"consoleScreenshotBlobUri":"https://h/x?a=b&sig=s1gnature"}`, []string{"s1gnature"}, []string{"a=b"}},
		"tunnel": {
			"DELETE", "/api/tokens/t0k3n?X-Node-Id=n", "application/x-www-form-urlencoded", "resourceId=r&aztoken=a2t0k3n&token=0ld", `{"authToken":"4uth","websocketToken":"w3b","nodeId":"n"}`,
			[]string{"t0k3n", "a2t0k3n", "0ld", "4uth", "w3b"},
			[]string{"resourceId=r", `"nodeId":"n"`},
		},
		"anywhere": {"GET", "/x?y=" + jwt, "", "", `{"note":"` + jwt + `"}`, []string{jwt, "c2VjcmV0"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), c.method, "https://host"+c.url, strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.typ)
			r.Header.Set("Authorization", "Bearer b34r3r")
			_, line := exchange(t, r, func(w http.ResponseWriter, r *http.Request) {
				if got, err := io.ReadAll(r.Body); err != nil || string(got) != c.body {
					t.Errorf("the handler reads %q, %v", got, err)
				}
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Location", "https://host/?sig=l0cation")
				_, _ = io.WriteString(w, c.answer)
			})
			for _, s := range append(c.secrets, "b34r3r", "l0cation") {
				if strings.Contains(line, s) {
					t.Errorf("%s is in %s", s, line)
				}
			}
			for _, s := range c.kept {
				if !strings.Contains(strings.ReplaceAll(line, `\"`, `"`), strings.ReplaceAll(s, "&", `\u0026`)) {
					t.Errorf("%s is not in %s", s, line)
				}
			}
		})
	}
}

func TestExchange(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), "PUT", "https://host/p?q=1", strings.NewReader(`{"a":1.50}`))
	x, line := exchange(t, r, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusAccepted)
	})
	if x.Method != "PUT" || x.URL != "https://host/p?q=1" || x.Status != 202 || x.ResponseHeader.Get("Retry-After") != "1" || x.ResponseBody != nil || !strings.Contains(line, "1.50") || x.Time.IsZero() {
		t.Errorf("%s", line)
	}
	if n := bufio.NewScanner(strings.NewReader(line)); !n.Scan() || n.Scan() {
		t.Error("an exchange is one line")
	}
}

// FuzzMask never fails and never lets a secret member through.
func FuzzMask(f *testing.F) {
	f.Add(`{"adminPassword":"x","a":[{"token":{"b":1}}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		var v any
		if json.Unmarshal([]byte(s), &v) != nil {
			return
		}
		const secret = "S3CR3T-value"
		out, err := json.Marshal(record.Mask(map[string]any{"customData": secret, "inner": v, "list": []any{map[string]any{"password": secret}}}))
		if err != nil || bytes.Contains(out, []byte(secret)) {
			t.Errorf("%v %s", err, out)
		}
	})
}
