package signin_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/errkind"
)

const profileJSON = "\xef\xbb\xbf" + `{"installationId":"x","subscriptions":[
 {"id":"s-gov","name":"Gov","state":"Enabled","tenantId":"t-gov","environmentName":"AzureUSGovernment","isDefault":true,"user":{"name":"gov@example.com","type":"user"}},
 {"id":"s-1","name":"One","state":"Enabled","tenantId":"t-1","environmentName":"AzureCloud","isDefault":false,"user":{"name":"ann@example.com","type":"user"}},
 {"id":"s-2","name":"Two","state":"Enabled","tenantId":"t-2","environmentName":"AzureCloud","isDefault":true,"user":{"name":"ann@example.com","type":"user"}}]}`

func TestProfile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "azureProfile.json")
	if p, err := signin.ReadProfile(path); err != nil || len(p.Subscriptions) != 0 {
		t.Errorf("absent: %v, %v", p, err)
	}
	if err := os.WriteFile(path, []byte(profileJSON), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := signin.ReadProfile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := p.Current("AzureCloud"); !ok || s.ID != "s-2" || s.User != "ann@example.com" || s.TenantID != "t-2" {
		t.Errorf("current: %+v", s)
	}
	if s, ok := p.Current("AzureUSGovernment"); !ok || s.ID != "s-gov" {
		t.Errorf("current of the other cloud: %+v", s)
	}
	if _, ok := p.Current("AzureChinaCloud"); ok {
		t.Error("a cloud without a session has a current subscription")
	}
	if s, ok := p.Find("One"); !ok || s.ID != "s-1" {
		t.Errorf("by name: %+v", s)
	}
	if s, ok := p.Find("S-1"); !ok || s.Name != "One" {
		t.Errorf("by id: %+v", s)
	}
	if _, err := signin.ParseProfile([]byte("{")); errkind.Of(err) != errkind.Invalid {
		t.Errorf("damaged: %v", err)
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(profileJSON))
	f.Add([]byte("\xef\xbb\xbf"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := signin.ParseProfile(data)
		if err != nil && len(p.Subscriptions) > 0 {
			t.Error("both an error and a result")
		}
		p.Current("")
	})
}
