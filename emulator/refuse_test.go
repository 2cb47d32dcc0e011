package emulator_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// TestRefusals asks for what Azure refuses.
func TestRefusals(t *testing.T) {
	vm, rules := comp+"virtualMachines/new"+computeV, netRP+"networkSecurityGroups/nsg/securityRules/"
	rule := func(edits ...string) string {
		b := `{"properties":{"priority":300,"direction":"Inbound","access":"Allow","protocol":"Tcp","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"22"}}`
		for i := 0; i+1 < len(edits); i += 2 {
			b = strings.Replace(b, edits[i], edits[i+1], 1)
		}
		return b
	}
	cases := []struct {
		name, method, path, body string
		status                   int
		code, says               string
	}{
		{"no api-version", "GET", comp + "virtualMachines", "", 400, "MissingApiVersionParameter", "?api-version="},
		{"old api-version", "GET", comp + "virtualMachines?api-version=1999-01-01", "", 400, "NoRegisteredProviderFound", "for type 'virtualMachines'"},
		{"odd api-version", "GET", comp + "virtualMachines?api-version=latest", "", 400, "InvalidApiVersionParameter", "'latest' is invalid"},
		{"odd group version", "GET", "{G}?api-version=2000-01-01", "", 400, "InvalidApiVersionParameter", ""},
		{"another subscription", "GET", "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups" + groupV, "", 404, "SubscriptionNotFound", ""},
		{"no group", "GET", "{S}/resourceGroups/nowhere/providers/Microsoft.Compute/virtualMachines/x" + computeV, "", 404, "ResourceGroupNotFound", "'nowhere' could not be found"},
		{"no such type", "GET", comp + "virtualMachinez/x" + computeV, "", 404, "InvalidResourceType", "virtualMachinez"},
		{"no such namespace", "GET", "{G}/providers/Microsoft.Nothing/x/y" + computeV, "", 404, "InvalidResourceNamespace", ""},
		{"not emulated", "GET", comp + "availabilitySets/x" + computeV, "", 501, "NotImplemented", "availabilitySets"},
		{"not emulated either", "GET", "{G}/providers/Microsoft.Web/sites/x" + computeV, "", 501, "NotImplemented", "sites"},
		{"wrong method", "POST", comp + "virtualMachines/vm" + computeV, "{}", 405, "HttpMethodNotAllowed", ""},
		{"not JSON", "PUT", vm, "{", 400, "InvalidRequestContent", ""},
		{"group without region", "PUT", "{S}/resourceGroups/x" + groupV, "{}", 400, "LocationRequired", ""},
		{"group in no region", "PUT", "{S}/resourceGroups/x" + groupV, `{"location":"mars"}`, 400, "LocationNotAvailableForResourceGroup", ""},
		{"group elsewhere", "PUT", "{G}" + groupV, `{"location":"eastus"}`, 409, "InvalidResourceGroupLocation", ""},
		{"group name", "PUT", "{S}/resourceGroups/x." + groupV, `{"location":"eastus"}`, 400, "InvalidResourceGroup", ""},

		{"VM name", "PUT", comp + "virtualMachines/-x" + computeV, vmBody(), 400, "InvalidParameter", "vmName"},
		{"VM in no region", "PUT", vm, vmBody(`"westus2"`, `"mars"`), 400, "LocationNotAvailableForResourceType", ""},
		{"no such size", "PUT", vm, vmBody("Standard_D2s_v5", "Standard_X"), 400, "InvalidParameter", "Standard_X"},
		{"restricted size", "PUT", vm, vmBody("Standard_D2s_v5", "Standard_E2s_v5"), 409, "SkuNotAvailable", "Following SKUs have failed for Capacity Restrictions: Standard_E2s_v5"},
		{"family quota", "PUT", vm, vmBody("Standard_D2s_v5", "Standard_F4s_v2", "networkInterfaces/nic", "networkInterfaces/free"), 409, "OperationNotAllowed", "exceeding approved standardFSv2Family Cores quota. Additional details - Deployment Model: Resource Manager, Location: westus2, Current Limit: 2, Current Usage: 0, Additional Required: 4, (Minimum) New Limit Required: 4."},
		{"no such image", "PUT", vm, vmBody(`"server"`, `"swerver"`), 404, "PlatformImageNotFound", "Canonical:ubuntu-24_04-lts:swerver:latest"},
		{"architecture", "PUT", vm, vmBody(`"server"`, `"server-arm64"`), 400, "BadRequest", "CPU Architecture"},
		{"generation", "PUT", vm, vmBody("Standard_D2s_v5", "Standard_A1_v2"), 400, "BadRequest", "Hypervisor Generation '2'"},
		{"user name", "PUT", vm, vmBody("azureuser", "root"), 400, "InvalidParameter", "Admin Username"},
		{"key path", "PUT", vm, vmBody("/home/azureuser/", "/home/other/"), 400, "InvalidParameter", "/home/azureuser/.ssh/authorized_keys"},
		{"key", "PUT", vm, vmBody(key, "ssh-rsa AAAA"), 400, "InvalidParameter", "keyData"},
		{"no way in", "PUT", vm, vmBody(`,"ssh":{"publicKeys":[{"path":"/home/azureuser/.ssh/authorized_keys","keyData":"`+key+`"}]}`, ""), 400, "InvalidParameter", "Authentication using either SSH"},
		{"host name", "PUT", vm, vmBody(`"computerName":"vm"`, `"computerName":"a_b"`), 400, "InvalidParameter", "Linux host name"},
		{"custom data", "PUT", vm, vmBody(`"YQ=="`, `"%%%"`), 400, "InvalidParameter", "Base64"},
		{"long custom data", "PUT", vm, vmBody(`"YQ=="`, `"`+base64.StdEncoding.EncodeToString(make([]byte, 70000))+`"`), 400, "InvalidParameter", "87380"},
		{"OS disk below the image", "PUT", vm, vmBody(`"osDisk":{`, `"osDisk":{"diskSizeGB":10,`), 400, "ResizeDiskError", "smaller than the size of the corresponding disk in the VM image: 30 GB"},
		{"too many data disks", "PUT", vm, vmBody(`"osDisk":{`, `"dataDisks":[`+`{"lun":0,"createOption":"Empty","diskSizeGB":4},{"lun":1,"createOption":"Empty","diskSizeGB":4},{"lun":2,"createOption":"Empty","diskSizeGB":4},{"lun":3,"createOption":"Empty","diskSizeGB":4},{"lun":4,"createOption":"Empty","diskSizeGB":4}`+`],"osDisk":{`), 409, "OperationNotAllowed", "data disks"},
		{"no such interface", "PUT", vm, vmBody("networkInterfaces/nic", "networkInterfaces/none"), 400, "InvalidResourceReference", "none"},
		{"interface in use", "PUT", vm, vmBody(), 400, "NicInUse", "is used by existing VM"},
		{"zone", "PUT", vm, vmBody(`"tags":`, `"zones":["9"],"tags":`), 400, "InvalidAvailabilityZone", ""},
		{"encryption at host", "PUT", vm, vmBody("networkInterfaces/nic", "networkInterfaces/free", `"licenseType"`, `"securityProfile":{"encryptionAtHost":false},"licenseType"`), 400, "InvalidParameter", "EncryptionAtHost"},
		{"forbidden tag", "PUT", vm, vmBody(`"a":"b"`, `"a?":"b"`), 400, "InvalidTagNameCharacters", "a?"},

		{"custom data of a VM", "PUT", comp + "virtualMachines/vm" + computeV, vmBody(`"YQ=="`, `"Yg=="`), 409, "PropertyChangeNotAllowed", "osProfile.customData"},
		{"user of a VM", "PUT", comp + "virtualMachines/vm" + computeV, vmBody(`"adminUsername":"azureuser"`, `"adminUsername":"other"`), 409, "PropertyChangeNotAllowed", "osProfile.adminUsername"},
		{"image of a VM", "PUT", comp + "virtualMachines/vm" + computeV, vmBody(`"server"`, `"minimal"`), 409, "PropertyChangeNotAllowed", "imageReference.sku"},
		{"zone of a VM", "PUT", comp + "virtualMachines/vm" + computeV, vmBody(`"tags":`, `"zones":["1"],"tags":`), 409, "PropertyChangeNotAllowed", "zones"},
		{"resource disk of a VM", "PATCH", comp + "virtualMachines/vm" + computeV, `{"properties":{"hardwareProfile":{"vmSize":"Standard_B2s"}}}`, 409, "OperationNotAllowed", "resource disk"},
		{"views of a group", "GET", comp + "virtualMachines" + computeV + "&$expand=instanceView", "", 400, "InvalidParameter", "$expand"},
		{"generalize a running VM", "POST", comp + "virtualMachines/vm/generalize" + computeV, "", 409, "OperationNotAllowed", ""},
		{"another command", "POST", comp + "virtualMachines/vm/runCommand" + computeV, `{"commandId":"RunPowerShellScript"}`, 404, "NotFound", ""},

		{"interface of a VM", "DELETE", netRP + "networkInterfaces/nic" + networkV, "", 400, "NicInUse", "networkInterfaces/nic is used by existing VM"},
		{"subnet in use", "DELETE", netRP + "virtualNetworks/vnet/subnets/default" + networkV, "", 400, "InUseSubnetCannotBeDeleted", "Subnet default is in use by"},
		{"network in use", "DELETE", netRP + "virtualNetworks/vnet" + networkV, "", 400, "InUseSubnetCannotBeDeleted", ""},
		{"overlap", "PUT", netRP + "virtualNetworks/vnet/subnets/b" + networkV, `{"properties":{"addressPrefix":"10.0.0.128/25"}}`, 400, "NetcfgSubnetRangesOverlap", ""},
		{"outside", "PUT", netRP + "virtualNetworks/vnet/subnets/b" + networkV, `{"properties":{"addressPrefix":"10.1.0.0/24"}}`, 400, "NetcfgInvalidSubnet", ""},
		{"dynamic Standard address", "PUT", netRP + "publicIPAddresses/x" + networkV, `{"location":"westus2","sku":{"name":"Standard"},"properties":{"publicIPAllocationMethod":"Dynamic"}}`, 400, "PublicIPAndSkuAllocationMethodMismatch", ""},
		{"address quota", "PUT", netRP + "publicIPAddresses/x" + networkV, `{"location":"westus2","sku":{"name":"Standard"},"properties":{"publicIPAllocationMethod":"Static"}}`, 400, "PublicIPCountLimitReached", "more than 0 public"},
		{"interface without subnet", "PUT", netRP + "networkInterfaces/x" + networkV, strings.Replace(nicBody(""), "subnets/default", "subnets/none", 1), 400, "InvalidResourceReference", ""},
		{"private address taken", "PUT", netRP + "networkInterfaces/x" + networkV, strings.Replace(nicBody(""), `{"subnet"`, `{"privateIPAllocationMethod":"Static","privateIPAddress":"10.0.0.4","subnet"`, 1), 400, "PrivateIPAddressInUse", ""},
		{"private address reserved", "PUT", netRP + "networkInterfaces/x" + networkV, strings.Replace(nicBody(""), `{"subnet"`, `{"privateIPAllocationMethod":"Static","privateIPAddress":"10.0.0.3","subnet"`, 1), 400, "PrivateIPAddressInReservedRange", ""},
		{"priority taken", "PUT", rules + "b" + networkV, rule("300", "200"), 400, "SecurityRuleConflict", "Rules cannot have the same Priority and Direction."},
		{"priority too low", "PUT", rules + "b" + networkV, rule("300", "99"), 400, "SecurityRuleInvalidPriority", "100-4096"},
		{"port", "PUT", rules + "b" + networkV, rule(`"22"`, `"22-"`), 400, "SecurityRuleInvalidPortRange", ""},
		{"prefix", "PUT", rules + "b" + networkV, rule(`"sourceAddressPrefix":"*"`, `"sourceAddressPrefix":"10.0.0.1/8"`), 400, "SecurityRuleInvalidAddressPrefix", ""},
		{"access", "PUT", rules + "b" + networkV, rule("Allow", "Perhaps"), 400, "SecurityRuleInvalidAccess", ""},
		{"disk of a VM", "DELETE", comp + "disks/vm-os" + diskV, "", 409, "OperationNotAllowed", "is attached to VM"},
		{"disk without size", "PUT", comp + "disks/x" + diskV, `{"location":"westus2","properties":{"creationData":{"createOption":"Empty"}}}`, 400, "InvalidParameter", "diskSizeGB"},
		{"snapshot of nothing", "PUT", comp + "snapshots/x" + diskV, `{"location":"westus2","properties":{"creationData":{"createOption":"Copy","sourceResourceId":"` + comp + `disks/none"}}}`, 404, "ResourceNotFound", ""},
		{"filter", "GET", "{S}/resources" + groupV + "&$filter=color%20eq%20'red'", "", 400, "InvalidFilterInQueryString", ""},
	}
	bubble(t, emulator.Options{Restricted: []string{"Standard_E2s_v5@westus2"}, Quota: map[string]int{"standardFSv2Family": 2, "PublicIPAddresses": 0}}, func(r *raw) {
		r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, vmBody(`"createOption":"FromImage"`, `"name":"vm-os","createOption":"FromImage"`)), 201)
		r.ok(r.do("PUT", netRP+"networkInterfaces/free"+networkV, nicBody("")), 201)
		r.ok(r.do("PUT", rules+"a"+networkV, rule("300", "200")), 201)
		time.Sleep(2 * time.Minute)
		before := r.e.Counts().Resources
		for _, c := range cases {
			a := r.do(c.method, c.path, c.body)
			if a.status != c.status || a.code() != c.code || !strings.Contains(a.message(), c.says) {
				r.Errorf("%s: %d %s, want %d %s saying %q", c.name, a.status, a.text, c.status, c.code, c.says)
			}
			time.Sleep(10 * time.Second)
		}
		after := r.e.Counts().Resources
		for k, n := range after {
			if before[k] != n {
				r.Errorf("a refusal changed %s from %d to %d", k, before[k], n)
			}
		}
	})
}

// TestFailedCreation leaves a VM in the state Failed and keeps its interface for it.
func TestFailedCreation(t *testing.T) {
	bubble(t, emulator.Options{Exhausted: []string{"Standard_D2s_v5@westus2/1"}}, func(r *raw) {
		zonal := vmBody(`"tags":`, `"zones":["1"],"tags":`)
		a := r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, zonal), 201)
		time.Sleep(2 * time.Minute)
		op := r.ok(r.do("GET", a.header.Get("Azure-AsyncOperation"), ""), 200)
		if op.at("status") != "Failed" || op.code() != "ZonalAllocationFailed" || !strings.Contains(op.message(), "Standard_D2s_v5 in zone 1") {
			r.Errorf("operation: %s", op.text)
		}
		if vm := r.ok(r.do("GET", comp+"virtualMachines/vm"+computeV+"&$expand=instanceView", ""), 200); vm.at("properties", "provisioningState") != "Failed" || strings.Contains(vm.text, "PowerState") {
			r.Errorf("VM: %s", vm.text)
		}
		other := vmBody(`"computerName":"vm"`, `"computerName":"other"`)
		if a := r.ok(r.do("PUT", comp+"virtualMachines/other"+computeV, other), 400); a.code() != "NicReservedForAnotherVm" {
			r.Errorf("the interface of a failed VM: %s", a.text)
		}
		r.ok(r.do("DELETE", comp+"virtualMachines/vm"+computeV, ""), 202)
		time.Sleep(time.Minute)
		if a := r.ok(r.do("PUT", comp+"virtualMachines/other"+computeV, other), 400); a.code() != "NicReservedForAnotherVm" {
			r.Errorf("after the deletion: %s", a.text)
		}
		time.Sleep(3 * time.Minute)
		r.ok(r.do("PUT", comp+"virtualMachines/other"+computeV, other), 201)
	})
}

func TestBusyNetwork(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		r.ok(r.do("PUT", netRP+"networkSecurityGroups/nsg"+networkV, `{"location":"westus2"}`), 200)
		if a := r.ok(r.do("PUT", netRP+"networkSecurityGroups/nsg"+networkV, `{"location":"westus2"}`), 409); a.code() != "AnotherOperationInProgress" {
			r.Errorf("second write: %s", a.text)
		}
		time.Sleep(time.Minute)
		r.ok(r.do("PUT", netRP+"networkSecurityGroups/nsg"+networkV, `{"location":"westus2"}`), 200)
	})
}

func TestPreemption(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		a := r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, vmBody()), 201)
		r.ok(r.do("DELETE", comp+"virtualMachines/vm"+computeV, ""), 202)
		if op := r.ok(r.do("GET", a.header.Get("Azure-AsyncOperation"), ""), 200); op.at("status") != "Canceled" || op.code() != "OperationPreempted" {
			r.Errorf("preempted: %s", op.text)
		}
		time.Sleep(time.Minute)
		r.ok(r.do("GET", comp+"virtualMachines/vm"+computeV, ""), 404)
	})
}

func TestUnregisteredProvider(t *testing.T) {
	t.Parallel()
	r := newRaw(t, emulator.Options{Unregistered: []string{"Microsoft.Compute"}})
	r.ok(r.do("PUT", "{G}"+groupV, `{"location":"westus2"}`), 201)
	body := `{"location":"westus2","properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":1}}`
	if a := r.ok(r.do("PUT", comp+"disks/d"+diskV, body), 409); a.code() != "MissingSubscriptionRegistration" {
		t.Errorf("unregistered: %s", a.text)
	}
	if a := r.ok(r.do("GET", "{S}/providers/Microsoft.Compute"+groupV, ""), 200); a.at("registrationState") != "NotRegistered" {
		t.Errorf("state: %s", a.text)
	}
	if a := r.ok(r.do("POST", "{S}/providers/microsoft.compute/register"+groupV, ""), 200); a.at("registrationState") != "Registering" {
		t.Errorf("registering: %s", a.text)
	}
	r.ok(r.do("PUT", comp+"disks/d"+diskV, body), 202)
}

func TestThrottling(t *testing.T) {
	bubble(t, emulator.Options{TokenLifetime: 24 * time.Hour}, func(r *raw) {
		time.Sleep(time.Hour)
		first := r.ok(r.do("GET", "{S}/providers/Microsoft.Compute/virtualMachines"+computeV, ""), 200)
		if got := first.header.Get("X-Ms-Ratelimit-Remaining-Resource"); got != "Microsoft.Compute/HighCostGet3Min;139,Microsoft.Compute/HighCostGet30Min;699" {
			r.Errorf("remaining: %s", got)
		}
		for range 139 {
			r.ok(r.do("GET", "{S}/providers/Microsoft.Compute/virtualMachines"+computeV, ""), 200)
		}
		a := r.ok(r.do("GET", "{S}/providers/Microsoft.Compute/virtualMachines"+computeV, ""), 429)
		if a.header.Get("Retry-After") != "180" {
			r.Errorf("throttled: %v", a.header)
		}
		time.Sleep(3 * time.Minute)
		r.ok(r.do("GET", "{S}/providers/Microsoft.Compute/virtualMachines"+computeV, ""), 200)
		var last answer
		for range 260 {
			if last = r.do("GET", "{S}/resourcegroups"+groupV, ""); last.status != 200 {
				break
			}
		}
		if last.status != 429 || last.code() != "SubscriptionRequestsThrottled" {
			r.Errorf("reads: %d %s", last.status, last.text)
		}
	})
}

// TestMediaTypes: Azure takes JSON that says so, and nothing else; what has no body needs no type.
func TestMediaTypes(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		const group = `{"location":"westus2"}`
		for typ, status := range map[string]int{
			"application/json": 201, "application/json; charset=utf-8": 201, "APPLICATION/JSON;odata=x": 201,
			"application/x-www-form-urlencoded": 415, "text/plain": 415, "": 415, "application/jsonp": 415,
		} {
			name := fmt.Sprintf("{S}/resourceGroups/typed%d", len(typ))
			a := r.ok(r.do("PUT", name+groupV, group, "Content-Type", typ), status)
			if status == 201 {
				r.ok(r.do("DELETE", name+groupV, "", "Content-Type", "text/plain"), 202)
				continue
			}
			shown := typ
			if typ == "" {
				shown = "<null>"
			}
			if a.code() != "UnsupportedMediaType" || a.message() != "The content media type '"+shown+"' is not supported. Only 'application/json' is supported." {
				r.Errorf("%q: %s", typ, a.text)
			}
		}
	})
}
