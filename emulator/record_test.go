package emulator_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// locked is a buffer that several requests may write to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// TestRecordingHoldsNoSecret does what secrets travel with, and looks for each of them in the recording.
func TestRecordingHoldsNoSecret(t *testing.T) {
	t.Parallel()
	var rec locked
	r := newRaw(t, emulator.Options{Record: &rec, Duration: func(string) time.Duration { return 0 }})
	custom := base64.StdEncoding.EncodeToString([]byte("#cloud-config: with a secret"))
	r.ok(r.do("PUT", "{G}"+groupV, `{"location":"West US 2"}`), 201)
	r.ok(r.do("PUT", netRP+"virtualNetworks/vnet"+networkV, `{"location":"westus2","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[{"name":"default","properties":{"addressPrefix":"10.0.0.0/24"}}]}}`), 201)
	r.ok(r.do("PUT", netRP+"networkInterfaces/nic"+networkV, nicBody("")), 201)
	r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, vmBody(`"customData":"YQ=="`, `"customData":"`+custom+`","adminPassword":"Tr0ub4dor&3"`, `"networkProfile"`, `"userData":"dXNlci1kYXRh","networkProfile"`)), 201)
	template := `{"properties":{"mode":"Incremental","template":{"$schema":"x","contentVersion":"1.0.0.0","parameters":{"quiet":{"type":"securestring"}},"resources":[]},"parameters":{"quiet":{"value":"w0rd-of-mouth"}}}}`
	r.ok(r.do("PUT", "{G}/providers/Microsoft.Resources/deployments/d"+groupV, template), 201)
	r.ok(r.do("PUT", stor+"files2"+storageV, premium), 202)
	keys := r.ok(r.do("POST", stor+"files2/listKeys"+storageV, ""), 200)
	secrets := []string{r.token, r.e.Identity().ClientSecret, custom, "Tr0ub4dor", "dXNlci1kYXRh", "w0rd-of-mouth"}
	for _, k := range keys.body["keys"].([]any) {
		secrets = append(secrets, k.(map[string]any)["value"].(string))
	}
	all := rec.b.String()
	for _, s := range secrets {
		if s == "" || strings.Contains(all, s) {
			t.Errorf("%q is in the recording", s)
		}
	}
	for _, s := range []string{`grant_type=client_credentials`, `"adminUsername":"azureuser"`, `"keyName":"key1"`, `"status":202`} {
		if !strings.Contains(all, s) {
			t.Errorf("%s is not in the recording", s)
		}
	}
	if n := strings.Count(all, "\n"); n != 8 {
		t.Errorf("%d lines of 8 requests", n)
	}
}
