package cli_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/wait"
)

func emulatorOf(ts *testscript.TestScript) string {
	return filepath.Join(ts.Getenv("AZLIN_CONFIG_DIR"), "emulator")
}

// setDevices says what becomes of device codes: hold or now.
func setDevices(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: devices hold|now")
	}
	ts.Check(emulator.SetDevices(context.Background(), emulatorOf(ts), emulator.DevicePolicy{Hold: args[0] == "hold"}))
}

// decideDevice waits until a device code waits, and says yes or no to it.
func decideDevice(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: decide yes|no")
	}
	wait.Until(ts, "a device code waits", func() bool {
		return emulator.DecideDevice(context.Background(), emulatorOf(ts), "", args[0] == "yes") == nil
	})
}

// challengeAll ends all tokens given out.
func challengeAll(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: challenge")
	}
	ts.Check(emulator.Challenge(context.Background(), emulatorOf(ts)))
}

// typeFile types what is in the file whose name is in a file, and Enter. It must not be shown, now or when the line has been
// taken.
func typeFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: typefile FILE")
	}
	data, err := os.ReadFile(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	before := strings.TrimRight(tmux(ts, "capture-pane", "-p"), "\n")
	typeLine(ts, false, []string{string(data)})
	wait.Until(ts, "what was typed is taken", func() bool {
		screen := tmux(ts, "capture-pane", "-p")
		if strings.Contains(screen, string(data)) {
			ts.Fatalf("the secret is on the screen")
		}
		return strings.TrimRight(screen, "\n") != before
	})
}

// behindProxy makes a world in which Azure, under its real names, is reached through a proxy only: an
// emulator with a certificate for them from an authority of its own, and a proxy that tunnels to it. The
// script gets HTTPS_PROXY, AZLIN_CA_FILE, a service principal's variables, and PROXY_LOG, the hosts that
// were asked for.
func behindProxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: proxy")
	}
	e, err := emulator.New(emulator.Options{})
	ts.Check(err)
	names := []string{
		"login.microsoftonline.com", "management.azure.com",
		"login.microsoftonline.us", "management.usgovcloudapi.net",
		"login.chinacloudapi.cn", "management.chinacloudapi.cn",
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: names, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	ca := ts.MkAbs("proxy-ca.pem")
	ts.Check(os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))

	azure := httptest.NewUnstartedServer(e)
	azure.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	azure.StartTLS()
	log := ts.MkAbs("proxy-log")
	ts.Check(os.WriteFile(log, nil, 0o600))
	proxy := httptest.NewServer(tunnel(azure.Listener.Addr().String(), log))
	ts.Defer(func() {
		proxy.CloseClientConnections()
		proxy.Close()
		azure.CloseClientConnections()
		azure.Close()
		_ = e.Close() // in memory: nothing to save
	})
	id := e.Identity()
	for k, v := range map[string]string{
		"HTTPS_PROXY": proxy.URL, "NO_PROXY": "", "AZLIN_CA_FILE": ca, "PROXY_LOG": log,
		"AZURE_TENANT_ID": id.TenantID, "AZURE_SUBSCRIPTION_ID": id.SubscriptionID, "AZURE_CLIENT_ID": id.ClientID, "AZURE_CLIENT_SECRET": id.ClientSecret,
	} {
		ts.Setenv(k, v)
	}
}

// tunnel is a proxy that knows CONNECT and takes everybody to one address.
func tunnel(address, log string) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		mu.Lock()
		f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(r.Host + "\n")
			_ = f.Close() // the write is what counts
		}
		mu.Unlock()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		var d net.Dialer
		there, err := d.DialContext(r.Context(), "tcp", address)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = there.Close() }()
		w.WriteHeader(http.StatusOK)
		here, rest, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = here.Close() }()
		go func() {
			_, _ = io.Copy(there, rest) // ends with the connection
			_ = there.Close()
		}()
		_, _ = io.Copy(here, there)
	})
}
