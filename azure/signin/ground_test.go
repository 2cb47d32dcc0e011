package signin_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/wire"
)

// rsaKey is one key for all tests: making one takes a tenth of a second.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// pair is a certificate, valid in real and in virtual time, and its key.
var pair = sync.OnceValue(func() []byte {
	key := rsaKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})...)
})

// ground is an emulator and the files of one person, within a synctest bubble.
type ground struct {
	*testing.T
	e     *emulator.Emulator
	dir   string // of tokens
	log   bytes.Buffer
	files string
}

func newGround(t *testing.T, o emulator.Options) *ground {
	t.Helper()
	files := t.TempDir()
	return &ground{T: t, e: local.New(t, o).Emulator, files: files, dir: filepath.Join(files, "tokens")}
}

func (g *ground) write(name string, data []byte) string {
	g.Helper()
	name = filepath.Join(g.files, name)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		g.Fatal(err)
	}
	return name
}

// base is what all kinds need.
func (g *ground) base() signin.Options {
	id := g.e.Identity()
	return signin.Options{Cloud: wire.LocalCloud(g.T), TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, CacheDir: g.dir, HTTP: g.e.Client()}
}

// federated signs a token of the foreign issuer.
func (g *ground) federated(life time.Duration, sub string) []byte {
	g.Helper()
	now := time.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": issuer, "sub": sub, "aud": "api://AzureADTokenExchange", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(life).Unix(),
	}).SignedString(rsaKey())
	if err != nil {
		g.Fatal(err)
	}
	return []byte(token)
}

// open makes a client whose debug log is kept.
func (g *ground) open(a *signin.Authenticator) *azure.Client {
	g.Helper()
	cred, err := a.Credential()
	if err != nil {
		g.Fatal(err)
	}
	c, err := azure.Open(azure.Options{
		Target: azure.Target{Cloud: wire.LocalCloud(g.T), SubscriptionID: g.e.Identity().SubscriptionID}, Credential: cred, HTTP: g.e.Client(),
		Log: slog.New(slog.NewTextHandler(&g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		g.Fatal(err)
	}
	return c
}

func (g *ground) tokens() int {
	n := 0
	for how, count := range g.e.Counts().Tokens {
		if how != "claims" {
			n += count
		}
	}
	return n
}

func (g *ground) group() string {
	return "/subscriptions/" + g.e.Identity().SubscriptionID + "/resourcegroups/g"
}

// clean fails when a text holds something that must not be seen.
func (g *ground) clean(what, text string) {
	g.Helper()
	for _, secret := range []string{hidden, "eyJhbGciOi", "PRIVATE KEY", g.e.Identity().IdentityHeader, g.e.Identity().ClientSecret} {
		if strings.Contains(text, secret) {
			g.Errorf("%s shows %.10q", what, secret)
		}
	}
}

// private checks the rights of everything in a directory of tokens.
func private(t *testing.T, dir string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Errorf("no tokens are kept: %v", err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the directory: %v, %v", info.Mode(), err)
	}
}
