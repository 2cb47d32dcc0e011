//go:build unix

package emulator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/emulator"
)

// TestDaemonPrincipals looks at the principals that every daemon has: their secrets are private, and the
// same after a restart.
func TestDaemonPrincipals(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	t.Cleanup(func() { _ = emulator.Stop(context.Background(), dir) })
	var before map[string][]byte
	for range 2 {
		st, err := emulator.Start(ctx, starter(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{}
		for _, who := range st.Principals {
			if who.Name == "" || who.Description == "" || who.ClientID == "" {
				t.Errorf("principal %+v", who)
			}
			for _, name := range []string{who.SecretFile, who.CertificateFile, who.FederatedTokenFile, who.IdentityHeaderFile} {
				if name == "" {
					continue
				}
				info, err := os.Stat(name)
				if err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v, %v", name, info.Mode(), err)
				}
				if name != who.FederatedTokenFile { // made anew
					files[name], _ = os.ReadFile(name)
				}
			}
		}
		if len(st.Principals) < 6 || len(files) < 5 {
			t.Errorf("principals %+v", st.Principals)
		}
		for name, data := range before {
			if !bytes.Equal(data, files[name]) {
				t.Errorf("%s is another one after the restart", name)
			}
		}
		before = files
		l := overTLS(t, st)
		if _, err := l.groups.CreateOrUpdate(ctx, group, armresources.ResourceGroup{Location: p(region)}, nil); err != nil {
			t.Error(err)
		}
		if st, err = emulator.Read(ctx, dir); err != nil || st.Tokens["secret"] == 0 || st.Actions["Microsoft.Resources/subscriptions/resourceGroups/write"]["group"] == 0 {
			t.Errorf("tokens %v, actions %v, %v", st.Tokens, st.Actions, err)
		}
		if err := emulator.Stop(ctx, dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := emulator.Start(ctx, starter(t, dir)); err != nil {
		t.Fatal(err)
	}
	if err := emulator.PutPrincipal(ctx, dir, emulator.Principal{}); err == nil {
		t.Error("a principal without a name was taken")
	}
	if err := emulator.DecideDevice(ctx, dir, "", true); err == nil {
		t.Error("a device was approved that does not wait")
	}
	if err := emulator.Disable(ctx, dir, "reader"); err != nil {
		t.Error(err)
	}
	st, err := emulator.Read(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	// The control interface is closed to those who have not the token of its file.
	tr := overTLS(t, st).opt.Transport
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, st.Endpoint+"/_emulator/challenge", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // only the status counts
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger challenged everybody: %d", resp.StatusCode)
	}
}

// TestDaemonPolicies sets policies of an emulator in the background.
func TestDaemonPolicies(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := emulator.SetPolicies(ctx, dir, nil); !errors.Is(err, emulator.ErrNotRunning) {
		t.Errorf("nobody serves: %v", err)
	}
	t.Cleanup(func() { _ = emulator.Stop(context.Background(), dir) })
	st, err := emulator.Start(ctx, starter(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := emulator.SetPolicies(ctx, dir, []emulator.TagPolicy{{Name: "owners", Require: []string{"owner"}}}); err != nil {
		t.Fatal(err)
	}
	groups := overTLS(t, st).groups
	_, err = groups.CreateOrUpdate(ctx, "g", armresources.ResourceGroup{Location: new("westus2")}, nil)
	if !contains(fmt.Sprint(err), "RequestDisallowedByPolicy") {
		t.Errorf("without an owner: %v", err)
	}
	if _, err := groups.CreateOrUpdate(ctx, "g", armresources.ResourceGroup{Location: new("westus2"), Tags: map[string]*string{"owner": new("me")}}, nil); err != nil {
		t.Error(err)
	}
}
