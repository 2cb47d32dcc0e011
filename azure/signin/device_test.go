package signin_test

import (
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
)

func (g *ground) device(prompt func(signin.DevicePrompt)) (*signin.Authenticator, signin.Credentials, error) {
	return signin.Login(g.Context(), signin.LoginOptions{Options: g.base(), Kind: signin.DeviceCode, Prompt: prompt})
}

func TestDeviceCodeLogin(t *testing.T) {
	t.Parallel()
	t.Run("pending, then approved", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{Devices: emulator.DevicePolicy{Hold: true}}, func(g *ground) {
			prompts := 0
			began := time.Now()
			_, who, err := g.device(func(p signin.DevicePrompt) {
				prompts++
				if !strings.Contains(p.Message, p.UserCode) || !strings.Contains(p.Message, p.VerificationURL) || time.Until(p.ExpiresOn) < time.Minute {
					g.Errorf("prompt %+v", p)
				}
				go func() {
					time.Sleep(2 * time.Minute)
					if !g.e.DecideDevice(p.UserCode, true) {
						g.Errorf("no device waits with code %s", p.UserCode)
					}
				}()
			})
			if err != nil || who.UserName != "developer@local.onmicrosoft.com" || who.TenantID != g.e.Identity().TenantID || prompts != 1 {
				g.Errorf("%+v, %d prompts, %v", who, prompts, err)
			}
			if waited := time.Since(began); waited < 2*time.Minute || waited > 3*time.Minute {
				g.Errorf("signed in after %s", waited)
			}
		})
	})
	t.Run("declined", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{Devices: emulator.DevicePolicy{Hold: true}}, func(g *ground) {
			_, _, err := g.device(func(p signin.DevicePrompt) { g.e.DecideDevice(p.UserCode, false) })
			if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || !strings.Contains(err.Error(), "AADSTS70017") {
				g.Errorf("kind %q: %v", errkind.Of(err), err)
			}
			g.forgotten(0)
		})
	})
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{Devices: emulator.DevicePolicy{Hold: true}}, func(g *ground) {
			began := time.Now()
			_, _, err := g.device(func(signin.DevicePrompt) {})
			if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || !strings.Contains(err.Error(), "expired") {
				g.Errorf("kind %q: %v", errkind.Of(err), err)
			}
			if waited := time.Since(began); waited < 14*time.Minute || waited > 16*time.Minute {
				g.Errorf("gave up after %s", waited)
			}
			g.forgotten(0)
		})
	})
	t.Run("the tenant is the person's", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{}, func(g *ground) {
			o := g.base()
			o.TenantID = ""
			_, who, err := signin.Login(g.Context(), signin.LoginOptions{Options: o, Kind: signin.DeviceCode, Prompt: func(signin.DevicePrompt) {}})
			if err != nil || who.TenantID != g.e.Identity().TenantID {
				g.Fatalf("%+v, %v", who, err)
			}
			// With and without the tenant it is the same sign-in; in another one Entra decides.
			for tenant, ok := range map[string]bool{"": true, who.TenantID: true, "11111111-1111-1111-1111-111111111111": false} {
				o.TenantID = tenant
				a, err := signin.NewAuthenticator(o)
				if err != nil || a.Kind() != signin.DeviceCode {
					g.Fatalf("%q, %v", a.Kind(), err)
				}
				if _, err := a.Authenticate(g.Context()); (err == nil) != ok || !ok && errkind.Of(err) != errkind.Auth {
					g.Errorf("tenant %q: kind %q: %v", tenant, errkind.Of(err), err)
				}
			}
		})
	})
	t.Run("the refresh token lasts", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{Devices: emulator.DevicePolicy{Polls: 2}}, func(g *ground) {
			if _, _, err := g.device(func(signin.DevicePrompt) {}); err != nil {
				g.Fatal(err)
			}
			time.Sleep(72 * time.Hour)
			for run := range 2 { // the token has ended: the first run renews it, the second asks nobody
				a, err := signin.NewAuthenticator(g.base())
				if err != nil {
					g.Fatal(err)
				}
				if _, err := a.Authenticate(g.Context()); err != nil {
					g.Errorf("run %d: %v", run, err)
				}
			}
			want := map[string]int{"device_code": 1, "refresh_token": 1}
			if got := g.e.Counts().Tokens; !maps.Equal(got, want) {
				g.Errorf("tokens %v, want %v", got, want)
			}
		})
	})
	t.Run("the refresh token is gone", func(t *testing.T) {
		t.Parallel()
		bubble(t, emulator.Options{}, func(g *ground) {
			if _, _, err := g.device(func(signin.DevicePrompt) {}); err != nil {
				g.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(g.dir, "msal-*.json"))
			if err != nil || len(files) != 1 {
				g.Fatalf("%v, %v", files, err)
			}
			g.write("tokens/"+filepath.Base(files[0]), []byte("{damaged"))
			time.Sleep(2 * time.Hour)
			a, err := signin.NewAuthenticator(g.base())
			if err != nil {
				g.Fatal(err)
			}
			_, err = a.Authenticate(g.Context())
			next := errkind.Next(err)
			if !errors.Is(err, azure.ErrAuthentication) || errkind.Of(err) != errkind.Auth || next.Action != errkind.SignInByCode {
				g.Errorf("kind %q, next %+v: %v", errkind.Of(err), next, err)
			}
		})
	})
}
