package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

const template = `{"properties":{"mode":"Incremental","parameters":{"secret":{"value":"Pa55word!x"}},"template":{"parameters":{"secret":{"type":"securestring"},"size":{"type":"string","defaultValue":"Standard_D2s_v5"}},"variables":{"n":"deployed"},
 "resources":[
  {"apiVersion":"2022-07-01","type":"Microsoft.Network/networkInterfaces","name":"nic2","location":"westus2","tags":null,"dependsOn":["Microsoft.Network/networkSecurityGroups/nsg2"],
   "properties":{"ipConfigurations":[{"name":"c","properties":{"subnet":{"id":"` + netRP + `virtualNetworks/vnet/subnets/default"}}}],"networkSecurityGroup":{"id":"[resourceId('Microsoft.Network/networkSecurityGroups','nsg2')]"}}},
  {"apiVersion":"2022-07-01","type":"Microsoft.Network/networkSecurityGroups","name":"nsg2","location":"[resourceGroup().location]"},
  {"apiVersion":"2022-08-01","type":"Microsoft.Compute/virtualMachines","name":"[variables('n')]","location":"westus2","dependsOn":["[resourceId('Microsoft.Network/networkInterfaces','nic2')]"],
   "properties":{"hardwareProfile":{"vmSize":"[parameters('size')]"},"networkProfile":{"networkInterfaces":[{"id":"` + netRP + `networkInterfaces/nic2"}]},
    "storageProfile":{"osDisk":{"createOption":"fromImage","name":null},"imageReference":{"publisher":"Canonical","offer":"ubuntu-24_04-lts","sku":"server","version":"latest"}},
    "osProfile":{"computerName":"deployed","adminUsername":"azureuser","adminPassword":"[parameters('secret')]"}}}],
 "outputs":{"id":{"type":"string","value":"[reference(resourceId('Microsoft.Compute/virtualMachines','deployed')).vmId]"}}}}}`

func TestDeployment(t *testing.T) {
	bubble(t, emulator.Options{Restricted: []string{"Standard_E2s_v5"}}, func(r *raw) {
		at := "{S}/resourcegroups/lab/providers/Microsoft.Resources/deployments/d"
		a := r.ok(r.do("PUT", at+groupV, template), 201)
		poll := a.header.Get("Azure-AsyncOperation")
		if !strings.Contains(poll, "/deployments/d/operationStatuses/") || a.at("properties", "provisioningState") != "Accepted" || strings.Contains(a.text, "Pa55") {
			r.Errorf("deployment: %v %s", a.header, a.text)
		}
		if s := r.ok(r.do("GET", poll, ""), 200); s.text != `{"status":"Running"}` {
			r.Errorf("status: %s", s.text)
		}
		r.ok(r.do("PUT", at+groupV, template), 409)
		time.Sleep(5 * time.Minute)
		if s := r.ok(r.do("GET", poll, ""), 200); s.text != `{"status":"Succeeded"}` {
			r.Errorf("status: %s", s.text)
		}
		vm := r.ok(r.do("GET", comp+"virtualMachines/deployed"+computeV, ""), 200)
		if vm.at("properties", "provisioningState") != "Succeeded" || strings.Contains(vm.text, "Pa55") {
			r.Errorf("VM: %s", vm.text)
		}
		d := r.ok(r.do("GET", at+groupV, ""), 200)
		if d.at("properties", "outputs", "id", "value") != vm.at("properties", "vmId") {
			r.Errorf("outputs: %s", d.text)
		}
		if o := r.ok(r.do("GET", at+"/operations"+groupV, ""), 200); strings.Count(o.text, `"provisioningState":"Succeeded"`) != 4 {
			r.Errorf("operations: %s", o.text)
		}
		bad := r.ok(r.do("PUT", at+"2"+groupV, strings.Replace(template, "Standard_D2s_v5", "Standard_E2s_v5", 1)), 400)
		if bad.code() != "InvalidTemplateDeployment" || !strings.Contains(bad.text, "SkuNotAvailable") {
			r.Errorf("preflight: %s", bad.text)
		}
		r.ok(r.do("PUT", at+"3"+groupV, strings.Replace(template, "subnets/default", "subnets/none", 1)), 201)
		time.Sleep(5 * time.Minute)
		if d := r.ok(r.do("GET", at+"3"+groupV, ""), 200); d.at("properties", "provisioningState") != "Failed" || !strings.Contains(d.text, "InvalidResourceReference") {
			r.Errorf("failed: %s", d.text)
		}
		if a := r.ok(r.do("PUT", at+"4"+groupV, strings.Replace(template, "[variables('n')]", "[magic()]", 1)), 400); a.code() != "InvalidTemplate" {
			r.Errorf("expression: %s", a.text)
		}
		r.ok(r.do("POST", at+"5/validate"+groupV, strings.ReplaceAll(template, "nic2", "nic3")), 200)
		r.ok(r.do("DELETE", at+groupV, ""), 202)
		time.Sleep(time.Minute)
		r.ok(r.do("DELETE", at+groupV, ""), 204)
		r.ok(r.do("PUT", at+groupV, strings.ReplaceAll(template, "nsg2", "nsg4")), 201)
		if a := r.ok(r.do("DELETE", at+groupV, ""), 409); a.code() != "DeploymentActive" {
			r.Errorf("deleting what is under way: %s", a.text)
		}
	})
}

func TestLocks(t *testing.T) {
	t.Parallel()
	r := newRaw(t, emulator.Options{})
	if err := r.e.Seed(emulator.SeedOptions{Group: "lab", VMs: 1}); err != nil {
		t.Fatal(err)
	}
	const v = "?api-version=2016-09-01"
	vm := comp + "virtualMachines/vm-001"
	lock := vm + "/providers/Microsoft.Authorization/locks/keep" + v
	r.ok(r.do("PUT", lock, `{"properties":{"level":"CanNotDelete"}}`), 201)
	for _, path := range []string{vm + computeV, "{G}" + groupV} {
		if a := r.ok(r.do("DELETE", path, ""), 409); a.code() != "ScopeLocked" {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	r.ok(r.do("PATCH", vm+computeV, `{"tags":{}}`), 200)
	r.ok(r.do("PUT", lock, `{"properties":{"level":"ReadOnly"}}`), 200)
	r.ok(r.do("POST", vm+"/deallocate"+computeV, ""), 409)
	if l := r.ok(r.do("GET", "{G}/providers/Microsoft.Authorization/locks"+v, ""), 200); !strings.Contains(l.text, "keep") {
		t.Errorf("locks of the group: %s", l.text)
	}
	r.ok(r.do("DELETE", lock, ""), 200)
	r.ok(r.do("DELETE", vm+computeV, ""), 202)
}
