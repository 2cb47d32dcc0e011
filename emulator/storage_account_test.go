package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

const (
	storageV = "?api-version=2024-01-01"
	stor     = "{G}/providers/Microsoft.Storage/storageAccounts/"
	premium  = `{"location":"westus2","kind":"FileStorage","sku":{"name":"Premium_LRS"}}`
)

// TestStorageOnTheWire holds the answers against what was recorded of Azure.
func TestStorageOnTheWire(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		a := r.ok(r.do("PUT", stor+"nfs1"+storageV, premium), 202)
		loc := a.header.Get("Location")
		if a.text != "" || a.header.Get("Azure-AsyncOperation") != "" || a.header.Get("Retry-After") != "17" ||
			!strings.Contains(loc, "/providers/Microsoft.Storage/locations/westus2/asyncoperations/") || !strings.HasSuffix(loc, "?monitor=true&api-version=2024-01-01") {
			r.Errorf("PUT of an account: %v %q", a.header, a.text)
		}
		r.ok(r.do("GET", loc, ""), 202)
		time.Sleep(time.Minute)
		done := r.ok(r.do("GET", loc, ""), 200)
		if done.at("sku", "tier") != "Premium" || done.at("properties", "provisioningState") != "Succeeded" || done.at("properties", "primaryEndpoints", "file") != "https://nfs1.file.core.windows.net/" ||
			done.at("properties", "primaryEndpoints", "blob") != nil || done.at("properties", "networkAcls", "defaultAction") != "Allow" {
			r.Errorf("account: %s", done.text)
		}
		if got := r.ok(r.do("GET", stor+"nfs1"+storageV, ""), 200); got.text != done.text {
			r.Errorf("the operation's result is not the account:\n%s\n%s", done.text, got.text)
		}
		share := stor + "nfs1/fileServices/default/shares/"
		s := r.ok(r.do("PUT", share+"home"+storageV, `{"properties":{"enabledProtocols":"NFS","shareQuota":100,"rootSquash":"RootSquash"}}`), 201)
		if s.at("etag") != nil || !strings.HasPrefix(s.header.Get("ETag"), `"0x8`) || s.at("properties", "leaseState") != nil {
			r.Errorf("PUT of a share: %v %s", s.header, s.text)
		}
		g := r.ok(r.do("GET", share+"home"+storageV, ""), 200)
		for k, want := range map[string]any{"enabledProtocols": "NFS", "shareQuota": 100.0, "rootSquash": "RootSquash", "accessTier": "Premium", "leaseState": "available"} {
			if g.at("properties", k) != want {
				r.Errorf("share: %s is %v, not %v", k, g.at("properties", k), want)
			}
		}
		if g.at("etag") != g.header.Get("ETag") {
			r.Errorf("etag: %v %s", g.header, g.text)
		}
		r.ok(r.do("PATCH", share+"home"+storageV, `{"properties":{"shareQuota":200}}`), 200)
		if l := r.ok(r.do("GET", strings.TrimSuffix(share, "/")+storageV, ""), 200); !strings.Contains(l.text, `"shareQuota":200`) {
			r.Errorf("list: %s", l.text)
		}
		// What is leased stays.
		r.ok(r.do("POST", share+"home/lease"+storageV, `{"action":"Acquire","leaseDuration":-1}`), 200)
		if d := r.ok(r.do("DELETE", share+"home"+storageV, ""), 412); d.code() != "LeaseIdMissing" {
			r.Errorf("leased: %s", d.text)
		}
		r.ok(r.do("POST", share+"home/lease"+storageV, `{"action":"Break"}`), 200)
		r.ok(r.do("DELETE", share+"home"+storageV, ""), 200)
		r.ok(r.do("DELETE", share+"home"+storageV, ""), 204)
		if n := r.ok(r.do("GET", share+"home"+storageV, ""), 404); n.code() != "ShareNotFound" {
			r.Errorf("missing: %s", n.text)
		}
		keys := r.ok(r.do("POST", stor+"nfs1/listKeys"+storageV, ""), 200)
		again := r.ok(r.do("POST", stor+"nfs1/regenerateKey"+storageV, `{"keyName":"key1"}`), 200)
		first := func(a answer) any { return a.body["keys"].([]any)[0].(map[string]any)["value"] }
		if len(first(keys).(string)) != 88 || first(keys) == first(again) {
			r.Errorf("keys: %s\n%s", keys.text, again.text)
		}
		if got := r.ok(r.do("GET", stor+"nfs1"+storageV, ""), 200); strings.Contains(got.text, first(again).(string)) {
			r.Error("GET shows a key")
		}
		r.ok(r.do("PUT", share+"data"+storageV, `{"properties":{"enabledProtocols":"NFS"}}`), 201)
		r.ok(r.do("DELETE", stor+"nfs1"+storageV, ""), 200)
		r.ok(r.do("DELETE", stor+"nfs1"+storageV, ""), 204)
		if n := r.e.Counts().Resources["Microsoft.Storage/storageAccounts/fileServices/shares"]; n != 0 {
			r.Errorf("%d shares are left of a deleted account", n)
		}
	})
}

func TestStorageRefusals(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		r.ok(r.do("PUT", stor+"plain1"+storageV, `{"location":"westus2","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`), 202)
		r.ok(r.do("PUT", stor+"nfs2"+storageV, premium), 202)
		time.Sleep(time.Minute)
		subnet := r.path("{G}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/default")
		rule := strings.Replace(premium, `"sku"`, `"properties":{"networkAcls":{"defaultAction":"Deny","virtualNetworkRules":[{"id":"`+subnet+`"}]}},"sku"`, 1)
		nfs, smb := stor+"nfs2/fileServices/default/shares/", stor+"plain1/fileServices/default/shares/"
		for name, c := range map[string]struct {
			method, path, body string
			status             int
			code               string
		}{
			"name":              {"PUT", stor + "Not-Valid", premium, 400, "AccountNameInvalid"},
			"short name":        {"PUT", stor + "ab", premium, 400, "AccountNameInvalid"},
			"taken":             {"PUT", stor + "test", premium, 409, "StorageAccountAlreadyTaken"},
			"sku":               {"PUT", stor + "nfs3", strings.Replace(premium, "Premium", "Standard", 1), 400, "InvalidAccountType"},
			"kind stays":        {"PATCH", stor + "plain1", `{"kind":"FileStorage"}`, 409, "AccountPropertyCannotBeUpdated"},
			"kind":              {"PUT", stor + "nfs3", strings.Replace(premium, "FileStorage", "Files", 1), 400, "InvalidRequestPropertyValue"},
			"place":             {"PUT", stor + "nfs2", strings.Replace(premium, "westus2", "eastus", 1), 409, "InvalidResourceLocation"},
			"no endpoint":       {"PUT", stor + "nfs3", rule, 400, "NetworkAclsValidationFailure"},
			"private range":     {"PATCH", stor + "nfs2", `{"properties":{"networkAcls":{"defaultAction":"Deny","ipRules":[{"value":"10.0.0.0/8"}]}}}`, 400, "InvalidValuesForRequestParameters"},
			"NFS needs premium": {"PUT", smb + "home", `{"properties":{"enabledProtocols":"NFS"}}`, 400, "FeatureNotSupportedForAccount"},
			"too small":         {"PUT", nfs + "home", `{"properties":{"enabledProtocols":"NFS","shareQuota":99}}`, 400, "InvalidHeaderValue"},
			"squash of SMB":     {"PUT", smb + "home", `{"properties":{"rootSquash":"RootSquash"}}`, 400, "InvalidHeaderValue"},
			"share name":        {"PUT", nfs + "Home", `{}`, 400, "InvalidResourceName"},
			"no account":        {"GET", stor + "nosuch", "", 404, "ResourceNotFound"},
			"version":           {"GET", stor + "nfs2", "", 400, "NoRegisteredProviderFound"},
		} {
			version := storageV
			if name == "version" {
				version = "?api-version=2031-01-01"
			}
			if a := r.do(c.method, c.path+version, c.body); a.status != c.status || a.code() != c.code {
				r.Errorf("%s: %d %s, not %d %s", name, a.status, a.text, c.status, c.code)
			}
		}
		other := strings.Replace(stor, "{G}", "/subscriptions/"+r.e.Identity().SubscriptionID+"/resourceGroups/other", 1)
		r.ok(r.do("PUT", "/subscriptions/"+r.e.Identity().SubscriptionID+"/resourcegroups/other"+groupV, `{"location":"westus2"}`), 201)
		if a := r.do("PUT", other+"nfs2"+storageV, premium); a.status != 409 || a.code() != "StorageAccountInAnotherResourceGroup" {
			r.Errorf("the same name in another group: %d %s", a.status, a.text)
		}
		check := r.ok(r.do("POST", "/subscriptions/"+r.e.Identity().SubscriptionID+"/providers/Microsoft.Storage/checkNameAvailability"+storageV, `{"name":"nfs2","type":"Microsoft.Storage/storageAccounts"}`), 200)
		if check.at("nameAvailable") != false || check.at("reason") != "AlreadyExists" {
			r.Errorf("name check: %s", check.text)
		}
	})
}
