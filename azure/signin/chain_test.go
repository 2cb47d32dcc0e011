package signin_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
)

// TestChain checks the order of the ways to sign in, one after the other taken away.
func TestChain(t *testing.T) {
	t.Parallel()
	bubble(t, emulator.Options{}, func(g *ground) {
		if _, _, err := g.device(func(signin.DevicePrompt) {}); err != nil {
			g.Fatal(err)
		}
		o := g.base()
		o.ClientID, o.ClientSecret, o.IdentityEndpoint = emulator.ClientIDOf(principalName), hidden, "https://127.0.0.1:4443/msi/token"
		o.CertificateFile, o.FederatedTokenFile = g.write("pair.pem", pair()), g.write("f", g.federated(time.Hour, subject))
		o.ProfileFile = g.write("azureProfile.json", []byte(profileJSON))
		o.SubscriptionID = ""
		for _, step := range []struct {
			kind signin.Kind
			drop func()
		}{
			{signin.ClientSecret, func() { o.ClientSecret = "" }},
			{signin.ClientCertificate, func() { o.CertificateFile = "" }},
			{signin.WorkloadIdentity, func() { o.FederatedTokenFile = "" }},
			{signin.ManagedIdentity, func() { o.IdentityEndpoint, o.ClientID = "", "" }},
			{signin.DeviceCode, func() { g.forgotten(1) }},
			{signin.AzureCLI, func() { o.ProfileFile = "" }},
			{"", func() {}},
		} {
			a, err := signin.NewAuthenticator(o)
			if err != nil || a.Kind() != step.kind {
				g.Errorf("%q was chosen, want %q: %v", a.Kind(), step.kind, err)
			}
			var reasons []string
			for _, c := range a.Choices() {
				reasons = append(reasons, fmt.Sprintf("%s %s %t: %s", c.Source, c.Kind, c.Chosen, c.Reason))
			}
			at := slices.IndexFunc(a.Choices(), func(c signin.Choice) bool { return c.Chosen })
			for i, c := range a.Choices() {
				if step.kind != "" && i > at && !strings.Contains(c.Reason, "is there too, but "+step.kind.String()) {
					g.Errorf("with %s: %q", step.kind, reasons)
				}
			}
			step.drop()
		}
	})
}

func TestHalfConfigured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("nothing of use"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o    signin.Options
		kind errkind.Kind
		says string
	}{
		"a client id alone":           {signin.Options{ClientID: "c", TenantID: "t"}, errkind.Invalid, "secret"},
		"no tenant":                   {signin.Options{ClientID: "c"}, errkind.Invalid, "tenant"},
		"a secret alone":              {signin.Options{ClientSecret: hidden, TenantID: "t"}, errkind.Invalid, "client id"},
		"a certificate alone":         {signin.Options{CertificateFile: file}, errkind.Invalid, "client id"},
		"a federated token alone":     {signin.Options{FederatedTokenFile: file}, errkind.Invalid, "client id"},
		"an absent secret":            {signin.Options{ClientID: "c", TenantID: "t", ClientSecretFile: file + "x"}, errkind.Prerequisite, file + "x"},
		"an absent certificate":       {signin.Options{ClientID: "c", TenantID: "t", CertificateFile: file + "x"}, errkind.Prerequisite, file + "x"},
		"an absent federated token":   {signin.Options{ClientID: "c", TenantID: "t", FederatedTokenFile: file + "x"}, errkind.Prerequisite, file + "x"},
		"something else":              {signin.Options{ClientID: "c", TenantID: "t", CertificateFile: file}, errkind.Invalid, "PEM"},
		"a certificate without a key": {signin.Options{ClientID: "c", TenantID: "t", CertificateFile: writeKeyless(t, dir)}, errkind.Invalid, "key"},
	} {
		_, err := signin.NewAuthenticator(tc.o)
		if errkind.Of(err) != tc.kind || !strings.Contains(fmt.Sprint(err), tc.says) || strings.Contains(fmt.Sprint(err), hidden) {
			t.Errorf("%s: kind %q: %v", name, errkind.Of(err), err)
		}
	}
}

func writeKeyless(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "keyless.pem")
	cert, _, _ := strings.Cut(string(pair()), "-----BEGIN PRIVATE")
	if err := os.WriteFile(name, []byte(cert), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLoginRefusesNonsense(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]signin.LoginOptions{
		"no directory": {Kind: signin.DeviceCode, Prompt: func(signin.DevicePrompt) {}},
		"no prompt":    {Kind: signin.DeviceCode, Options: signin.Options{CacheDir: t.TempDir()}},
		"az's own":     {Kind: signin.AzureCLI, Options: signin.Options{CacheDir: t.TempDir()}},
		"no client":    {Kind: signin.ClientSecret, Options: signin.Options{CacheDir: t.TempDir(), ClientSecret: hidden}},
	} {
		if _, _, err := signin.Login(t.Context(), o); errkind.Of(err) != errkind.Invalid || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
