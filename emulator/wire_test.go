package emulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/arm/contract"
)

// raw is the wire without an SDK.
type raw struct {
	testing.TB
	e     *emulator.Emulator
	token string
}

// answer is a reply with its body parsed.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func newRaw(t testing.TB, o emulator.Options) *raw {
	t.Helper()
	e, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &raw{TB: t, e: e}
	id := e.Identity()
	a := r.form("/"+id.TenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id.ClientID}, "client_secret": {id.ClientSecret}, "scope": {"https://management.azure.com/.default openid"}})
	r.token, _ = a.body["access_token"].(string)
	if r.token == "" {
		t.Fatalf("no token: %s", a.text)
	}
	return r
}

func (r *raw) form(path string, v url.Values) answer {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "https://login.microsoftonline.com"+path, strings.NewReader(v.Encode()))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.send(req)
}

// do makes a request; S and G in the path stand for the subscription and the group lab.
func (r *raw) do(method, path, body string, headers ...string) answer {
	r.Helper()
	if !strings.HasPrefix(path, "https://") {
		path = "https://management.azure.com" + r.path(path)
	}
	req, err := http.NewRequestWithContext(r.Context(), method, path, strings.NewReader(r.path(body)))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return r.send(req)
}

func (r *raw) path(s string) string {
	s = strings.ReplaceAll(s, "{G}", "{S}/resourceGroups/lab")
	return strings.ReplaceAll(s, "{S}", "/subscriptions/"+r.e.Identity().SubscriptionID)
}

func (r *raw) send(req *http.Request) answer {
	r.Helper()
	resp, err := r.e.Client().Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.Fatal(err)
	}
	version := strings.ToLower(req.URL.Query().Get("api-version"))
	if op := contract.At(req.Method, req.URL.Path, version); op != nil && req.URL.Host == "management.azure.com" {
		for _, what := range contract.JudgeAnswer(op, resp.StatusCode, data) {
			r.Errorf("%s %s: not in Azure's descriptions: %s", req.Method, req.URL.Path, what)
		}
	}
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(data)}
	if len(bytes.TrimSpace(data)) > 0 && data[0] == '{' {
		if err := json.Unmarshal(data, &a.body); err != nil {
			r.Fatalf("%s: %v", data, err)
		}
	}
	return a
}

// code is the code of an error envelope.
func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	c, _ := e["code"].(string)
	return c
}

func (a answer) message() string {
	e, _ := a.body["error"].(map[string]any)
	c, _ := e["message"].(string)
	return c
}

func (a answer) at(path ...string) any {
	var v any = a.body
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

// ok demands a status.
func (r *raw) ok(a answer, status int) answer {
	r.Helper()
	if a.status != status {
		r.Fatalf("status %d, not %d: %s", a.status, status, a.text)
	}
	return a
}

const (
	computeV = "?api-version=2025-04-01"
	networkV = "?api-version=2025-05-01"
	groupV   = "?api-version=2021-04-01"
	diskV    = "?api-version=2025-01-02"
	netRP    = "{G}/providers/Microsoft.Network/"
	comp     = "{G}/providers/Microsoft.Compute/"
)

// base makes a group and a network without anything in it, and lets the operations end.
func (r *raw) base() {
	r.Helper()
	r.ok(r.do("PUT", "{G}"+groupV, `{"location":"West US 2"}`), 201)
	r.ok(r.do("PUT", netRP+"virtualNetworks/vnet"+networkV, `{"location":"westus2","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[{"name":"default","properties":{"addressPrefix":"10.0.0.0/24"}}]}}`), 201)
	r.ok(r.do("PUT", netRP+"networkSecurityGroups/nsg"+networkV, `{"location":"westus2"}`), 201)
	r.ok(r.do("PUT", netRP+"networkInterfaces/nic"+networkV, nicBody("")), 201)
	time.Sleep(time.Minute)
}

func nicBody(extra string) string {
	return `{"location":"westus2","properties":{` + extra + `"ipConfigurations":[{"name":"ip","properties":{"subnet":{"id":"` + netRP + `virtualNetworks/vnet/subnets/default"}}}]}}`
}

// vmBody is a VM; edits replace parts of it.
func vmBody(edits ...string) string {
	b := `{"location":"westus2","tags":{"a":"b"},"properties":{"hardwareProfile":{"vmSize":"Standard_D2s_v5"},"storageProfile":{"imageReference":{"publisher":"Canonical","offer":"ubuntu-24_04-lts","sku":"server","version":"latest"},"osDisk":{"createOption":"FromImage"}},"osProfile":{"computerName":"vm","adminUsername":"azureuser","customData":"YQ==","linuxConfiguration":{"disablePasswordAuthentication":true,"ssh":{"publicKeys":[{"path":"/home/azureuser/.ssh/authorized_keys","keyData":"` + key + `"}]}}},"networkProfile":{"networkInterfaces":[{"id":"` + netRP + `networkInterfaces/nic"}]},"licenseType":"None"}}`
	for i := 0; i+1 < len(edits); i += 2 {
		if !strings.Contains(b, edits[i]) {
			panic("nothing to replace: " + edits[i])
		}
		b = strings.Replace(b, edits[i], edits[i+1], 1)
	}
	return b
}

// bubble runs f in virtual time, where all operations take as long as in Azure.
func bubble(t *testing.T, o emulator.Options, f func(r *raw)) {
	t.Helper()
	t.Parallel()
	o.Realistic = true
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, o)
		r.base()
		f(r)
	})
}

// TestVMOnTheWire holds the answers against what was recorded of Azure.
func TestVMOnTheWire(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		a := r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, vmBody()), 201)
		if a.header.Get("Location") != "" || a.header.Get("Azure-AsyncNotification") != "Enabled" || a.header.Get("Retry-After") != "10" {
			r.Errorf("headers of PUT: %v", a.header)
		}
		poll := a.header.Get("Azure-AsyncOperation")
		if id := a.header.Get("X-Ms-Request-Id"); !strings.Contains(poll, "/operations/"+id+"?") {
			r.Errorf("request id %s is not the operation's", id)
		}
		if !strings.Contains(poll, "/providers/Microsoft.Compute/locations/westus2/operations/") || !strings.Contains(poll, "?p=") {
			r.Errorf("operation URL %s", poll)
		}
		if a.at("properties", "provisioningState") != "Creating" || a.at("properties", "storageProfile", "osDisk", "managedDisk", "id") != nil || a.at("etag") != `"1"` {
			r.Errorf("body of PUT: %s", a.text)
		}
		if strings.Contains(a.text, "customData") || a.at("properties", "storageProfile", "imageReference", "exactVersion") == nil {
			r.Errorf("body of PUT: %s", a.text)
		}
		if !strings.Contains(a.text, `"licenseType":"None"`) {
			r.Errorf("a property that means nothing here was changed: %s", a.text)
		}
		if tc, _ := a.at("properties", "timeCreated").(string); !strings.HasSuffix(tc, "+00:00") {
			r.Errorf("timeCreated %q", tc)
		}
		if left := a.header.Get("X-Ms-Ratelimit-Remaining-Resource"); left != "Microsoft.Compute/PutVM3Min;239,Microsoft.Compute/PutVM30Min;1199" {
			r.Errorf("remaining: %s", left)
		}
		for _, h := range []string{"X-Ms-Request-Id", "X-Ms-Correlation-Request-Id", "X-Ms-Routing-Request-Id", "Strict-Transport-Security", "X-Content-Type-Options", "X-Ms-Ratelimit-Remaining-Subscription-Writes"} {
			if a.header.Get(h) == "" {
				r.Errorf("header %s is missing", h)
			}
		}
		if s := r.ok(r.do("GET", poll, ""), 200); s.at("status") != "InProgress" || s.at("startTime") == nil || s.at("endTime") != nil || s.at("name") == nil {
			r.Errorf("operation at first: %s", s.text)
		}
		time.Sleep(time.Minute)
		if s := r.ok(r.do("GET", poll, ""), 200); s.at("status") != "Succeeded" || s.at("endTime") == nil {
			r.Errorf("operation at last: %s", s.text)
		}
		vm := r.ok(r.do("GET", "/SUBSCRIPTIONS/"+r.e.Identity().SubscriptionID+"/resourcegroups/LAB/PROVIDERS/microsoft.compute/VIRTUALMACHINES/VM"+computeV, ""), 200)
		if vm.at("id") != r.path(comp+"virtualMachines/vm") || vm.at("properties", "storageProfile", "osDisk", "managedDisk", "id") == nil || vm.at("properties", "storageProfile", "osDisk", "deleteOption") != "Detach" {
			r.Errorf("VM: %s", vm.text)
		}
		// A second PUT is 200, an action 202 with both headers and no body.
		if a := r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, vmBody()), 200); a.header.Get("Azure-AsyncOperation") == "" {
			r.Errorf("second PUT: %v", a.header)
		}
		time.Sleep(time.Minute)
		a = r.ok(r.do("POST", comp+"virtualMachines/vm/deallocate"+computeV, ""), 202)
		if loc := a.header.Get("Location"); !strings.Contains(loc, "monitor=true") || a.text != "" {
			r.Errorf("action: %v %q", a.header, a.text)
		}
		r.ok(r.do("GET", a.header.Get("Location"), ""), 202)
		time.Sleep(time.Minute)
		if m := r.ok(r.do("GET", a.header.Get("Location"), ""), 200); m.text != "" {
			r.Errorf("result of an action: %q", m.text)
		}
		r.ok(r.do("DELETE", comp+"virtualMachines/vm"+computeV, ""), 202)
		time.Sleep(time.Minute)
		r.ok(r.do("DELETE", comp+"virtualMachines/vm"+computeV, ""), 204)
		if a := r.ok(r.do("GET", comp+"virtualMachines/vm"+computeV, ""), 404); a.code() != "ResourceNotFound" || a.header.Get("X-Ms-Failure-Cause") != "gateway" ||
			!strings.HasPrefix(a.message(), "The Resource 'Microsoft.Compute/virtualMachines/vm' under resource group 'lab' was not found.") {
			r.Errorf("missing VM: %s", a.text)
		}
		r.ok(r.do("GET", comp+"disks/x"+diskV, ""), 404)
	})
}

func TestNetworkAndGroupsOnTheWire(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		a := r.ok(r.do("PUT", netRP+"publicIPAddresses/ip"+networkV, `{"location":"westus2","sku":{"name":"Standard"},"properties":{"publicIPAllocationMethod":"Static"}}`), 201)
		if a.at("properties", "provisioningState") != "Updating" || !strings.HasPrefix(a.at("properties", "ipAddress").(string), "127.77.") {
			r.Errorf("address: %s", a.text)
		}
		poll := a.header.Get("Azure-AsyncOperation")
		if len(poll) < 2500 {
			r.Errorf("the operation URL has %d characters, Azure's have thousands", len(poll))
		}
		time.Sleep(time.Minute)
		if s := r.ok(r.do("GET", poll, ""), 200); s.text != `{"status":"Succeeded"}` {
			r.Errorf("operation: %s", s.text)
		}
		n := r.ok(r.do("GET", netRP+"networkInterfaces/nic"+networkV, ""), 200)
		if n.header.Get("Etag") != n.at("etag") || !strings.HasPrefix(n.header.Get("Etag"), `W/"`) {
			r.Errorf("etag: %v", n.header)
		}
		if !strings.Contains(n.text, `"privateIPAddress":"10.0.0.4"`) {
			r.Errorf("the first private address is not .4: %s", n.text)
		}
		if d := r.ok(r.do("DELETE", netRP+"networkInterfaces/nic"+networkV, ""), 202); d.header.Get("Retry-After") != "4" {
			r.Errorf("deletion: %v", d.header)
		}
		time.Sleep(time.Minute)
		r.ok(r.do("HEAD", "{G}"+groupV, ""), 204)
		d := r.ok(r.do("DELETE", "{G}"+groupV, ""), 202)
		loc := d.header.Get("Location")
		if d.header.Get("Azure-AsyncOperation") != "" || !strings.Contains(loc, "/operationresults/") || d.header.Get("Retry-After") != "15" {
			r.Errorf("group deletion: %v", d.header)
		}
		if p := r.ok(r.do("GET", loc, ""), 202); p.header.Get("Location") == "" {
			r.Error("the poll has no Location")
		}
		r.ok(r.do("PUT", netRP+"networkSecurityGroups/late"+networkV, `{"location":"westus2"}`), 409)
		time.Sleep(5 * time.Minute)
		if p := r.ok(r.do("GET", loc, ""), 200); p.text != "" {
			r.Errorf("end of the deletion: %q", p.text)
		}
		r.ok(r.do("HEAD", "{G}"+groupV, ""), 404)
		if d := r.ok(r.do("DELETE", "{G}"+groupV, ""), 404); d.code() != "ResourceGroupNotFound" {
			r.Errorf("deleting what is gone: %s", d.text)
		}
	})
}

func TestDisksOnTheWire(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		a := r.ok(r.do("PUT", comp+"disks/d"+diskV, `{"location":"westus2","sku":{"name":"Premium_LRS"},"properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":10}}`), 202)
		if !strings.Contains(a.header.Get("Azure-AsyncOperation"), "/DiskOperations/") || a.header.Get("Location") == "" {
			r.Errorf("disk: %v", a.header)
		}
		s := r.ok(r.do("PUT", comp+"snapshots/s"+diskV, `{"location":"westus2","properties":{"incremental":true,"creationData":{"createOption":"Copy","sourceResourceId":"`+comp+`disks/d"}}}`), 202)
		if s.at("id") != nil || s.at("properties", "isArmResource") != true {
			r.Errorf("snapshot: %s", s.text)
		}
		time.Sleep(time.Minute)
		o := r.ok(r.do("GET", s.header.Get("Azure-AsyncOperation"), ""), 200)
		if o.at("properties", "output", "properties", "diskSizeGB") != 10.0 || o.at("properties", "output", "name") != "s" {
			r.Errorf("operation: %s", o.text)
		}
		r.ok(r.do("DELETE", comp+"snapshots/s"+diskV, ""), 202)
		r.ok(r.do("DELETE", comp+"disks/d"+diskV, ""), 202)
		time.Sleep(time.Minute)
		r.ok(r.do("GET", comp+"disks/d"+diskV, ""), 404)
	})
}
