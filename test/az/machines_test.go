//go:build az

package az_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// The api-versions that az asks for in profile 2020-09-01-hybrid.
const (
	computeVersion = "2020-06-01"
	diskVersion    = "2019-07-01"
	nicVersion     = "2018-11-01"
	addressVersion = "2018-11-01"
	skuVersion     = "2019-04-01"
	vmType         = "Microsoft.Compute/virtualMachines"
)

// machines makes VMs with all that belongs to them and looks at them in each way.
func machines(c *cli) {
	c.in("az-machines")
	data := filepath.Join(c.TempDir(), "data")
	if err := os.WriteFile(data, []byte("#!/bin/sh\necho from-custom-data >/etc/from-custom-data\n"), 0o600); err != nil {
		c.Fatal(err)
	}
	public, err := os.ReadFile(c.key + ".pub")
	if err != nil {
		c.Fatal(err)
	}
	made := c.az("vm create -g az-machines -n full --image Ubuntu2204 --size Standard_D2s_v5 --admin-username worker --ssh-key-values "+c.key+".pub "+
		"--data-disk-sizes-gb 4 8 --custom-data "+data+" --tags role=db env=test --nsg guard --nsg-rule SSH --public-ip-sku Standard --public-ip-address door --vnet-name net --subnet inner",
		"--os-disk-size-gb", "64")
	c.equal("power", at(made, "powerState"), "VM running")
	c.matches("public address", at(made, "publicIpAddress"), `^127\.77\.`)
	c.equal("private address", at(made, "privateIpAddress"), "10.0.0.4")

	full := c.id(vmType, "full")
	stored := c.agrees(c.az("vm show -g az-machines -n full"), full, computeVersion)
	c.equal("tags", stored["tags"], map[string]string{"role": "db", "env": "test"})
	c.equal("size", at(stored, "properties", "hardwareProfile", "vmSize"), "Standard_D2s_v5")
	c.equal("image", at(stored, "properties", "storageProfile", "imageReference", "sku"), "22_04-lts-gen2")
	c.equal("user", at(stored, "properties", "osProfile", "adminUsername"), "worker")
	c.equal("key", strings.TrimSpace(at(stored, "properties", "osProfile", "linuxConfiguration", "ssh", "publicKeys", "keyData").(string)), strings.TrimSpace(string(public)))
	c.equal("data disks", len(list(at(stored, "properties", "storageProfile", "dataDisks"))), 2)
	c.equal("OS disk", at(stored, "properties", "storageProfile", "osDisk", "diskSizeGB"), 64)
	c.equal("custom data", at(stored, "properties", "osProfile", "customData"), nil) // never shown again
	run := c.az("vm run-command invoke -g az-machines -n full --command-id RunShellScript --scripts", "cat /etc/from-custom-data")
	c.matches("what custom data did", at(run, "value", "message"), "from-custom-data")

	// Two at once; one has neither a public address nor a group of rules.
	var both sync.WaitGroup
	for name, more := range map[string]string{"second": "", "private": ` --public-ip-address= --nsg=`} {
		both.Go(func() {
			other := c.cli(c.T, "az", c.config)
			other.group = c.group
			other.run("vm create -g az-machines -n " + name + " --image Debian12 --size Standard_B1s --admin-username worker --ssh-key-values " + c.key + ".pub --vnet-name net --subnet inner" + more)
		})
	}
	both.Wait()
	for _, name := range []string{"second", "private"} {
		c.agrees(c.az("vm show -g az-machines -n "+name), c.id(vmType, name), computeVersion)
	}

	all := list(c.az("vm list -g az-machines"))
	c.equal("VMs of the group", len(all), 3)
	for _, vm := range all {
		c.agrees(vm, at(vm, "id").(string), computeVersion)
	}
	seen := map[string]any{}
	for _, vm := range list(c.az("vm list -g az-machines -d")) {
		seen[at(vm, "name").(string)] = vm
		c.equal("power of "+at(vm, "name").(string), at(vm, "powerState"), "VM running")
		c.agrees(plain(vm), at(vm, "id").(string), computeVersion)
	}
	c.equal("VMs in detail", len(seen), 3)
	address := c.get(c.id("Microsoft.Network/publicIPAddresses", "door"), addressVersion)
	nic := c.get(c.id("Microsoft.Network/networkInterfaces", "fullVMNic"), nicVersion)
	c.equal("address in the list", at(seen["full"], "publicIps"), at(address, "properties", "ipAddress"))
	c.equal("no address in the list", at(seen["private"], "publicIps"), "")
	detail := c.az("vm show -d -g az-machines -n full")
	c.agrees(plain(detail), full, computeVersion)
	c.equal("public address", at(detail, "publicIps"), at(address, "properties", "ipAddress"))
	c.equal("private address", at(detail, "privateIps"), at(nic, "properties", "ipConfigurations", "properties", "privateIPAddress"))
	c.equal("mac address", at(detail, "macAddresses"), at(nic, "properties", "macAddress"))
	whole := 0
	for _, vm := range list(c.az("vm list")) {
		if strings.EqualFold(at(vm, "resourceGroup").(string), "az-machines") {
			whole++
		}
	}
	c.equal("VMs of the group in the whole list", whole, 3)

	view := c.az("vm get-instance-view -g az-machines -n full")
	c.agrees(at(view, "instanceView"), full+"/instanceView", computeVersion)
	c.equal("state", at(view, "instanceView", "statuses", "code"), "ProvisioningState/succeeded")
	addresses := map[any]any{}
	for _, vm := range list(c.az("vm list-ip-addresses -g az-machines")) {
		addresses[at(vm, "virtualMachine", "name")] = at(vm, "virtualMachine", "network")
	}
	c.equal("VMs with addresses", len(addresses), 3)
	c.equal("public", at(addresses["full"], "publicIpAddresses", "ipAddress"), at(address, "properties", "ipAddress"))
	c.equal("private", list(at(addresses["full"], "privateIpAddresses")), []any{"10.0.0.4"})
	c.equal("no public one", len(list(at(addresses["private"], "publicIpAddresses"))), 0)

	// What the host behind the address is: the data of the NIC and of the disks.
	c.equal("the VM of the interface", at(nic, "properties", "virtualMachine", "id"), full)
	guard := c.get(c.id("Microsoft.Network/networkSecurityGroups", "guard"), nicVersion)
	c.equal("rule", at(guard, "properties", "securityRules", "name"), "default-allow-ssh")
	disk := at(stored, "properties", "storageProfile", "dataDisks", "managedDisk", "id").(string)
	c.equal("owner of a data disk", at(c.get(disk, diskVersion), "managedBy"), full)

	// Refusals.
	c.refused(1, "SkuNotAvailable", "vm create -g az-machines -n gpu --image Ubuntu2204 --size Standard_NC24ads_A100_v4 --admin-username worker --ssh-key-values "+c.key+".pub")
	c.refused(1, "PropertyChangeNotAllowed", "vm update -g az-machines -n full --set osProfile.customData="+base64.StdEncoding.EncodeToString([]byte("new")))
	c.refused(3, "ResourceNotFound", "vm show -g az-machines -n none")

	c.az("vm delete -g az-machines -n private --yes")
	c.gone(c.id(vmType, "private"), computeVersion)
	if left := c.get(c.id("Microsoft.Network/networkInterfaces", "privateVMNic"), nicVersion); at(left, "properties", "virtualMachine") != nil || left["id"] == nil {
		c.Errorf("the interface of a deleted VM: %v", left)
	}
	c.az("group delete -n az-machines --yes --no-wait")
}

// power takes one VM through its power states.
func power(c *cli) {
	c.in("az-power")
	c.az("vm create -g az-power -n one --image Ubuntu2204 --size Standard_B1s --admin-username worker --ssh-key-values " + c.key + ".pub --no-wait")
	c.az("vm wait -g az-power -n one --created")
	id := c.id(vmType, "one")
	is := func(code string) {
		c.Helper()
		statuses := list(c.get(id+"/instanceView", computeVersion)["statuses"])
		c.equal("power", at(statuses[len(statuses)-1], "code"), "PowerState/"+code)
	}
	is("running")
	c.agrees(c.az("vm show -g az-power -n one"), id, computeVersion)
	c.az("vm stop -g az-power -n one")
	is("stopped")
	c.want("VM stopped", "vm show -d -g az-power -n one --query powerState")
	c.az("vm start -g az-power -n one")
	is("running")
	c.az("vm deallocate -g az-power -n one")
	is("deallocated")
	c.want("VM deallocated", "vm list -d -g az-power --query [0].powerState")
	c.refused(1, "OperationNotAllowed", "vm restart -g az-power -n one")
	c.agrees(c.az("vm resize -g az-power -n one --size Standard_B2s"), id, computeVersion)
	c.equal("size", at(c.get(id, computeVersion), "properties", "hardwareProfile", "vmSize"), "Standard_B2s")
	c.az("vm start --ids " + id)
	is("running")
	c.az("vm restart -g az-power -n one")
	is("running")
	c.az("vm wait -g az-power -n one --updated")
	c.az("vm wait -g az-power -n one", "--custom", "instanceView.statuses[?code=='PowerState/running']")
	// Made into an image: never started again.
	c.refused(1, "OperationNotAllowed", "vm generalize -g az-power -n one")
	c.az("vm deallocate -g az-power -n one")
	c.az("vm generalize -g az-power -n one")
	c.refused(1, "", "vm start -g az-power -n one")
	c.az("vm delete -g az-power -n one --yes --no-wait")
	c.az("vm wait -g az-power -n one --deleted")
	c.gone(id, computeVersion)
	c.want("0", "vm list -g az-power --query length(@)")
	c.az("group delete -n az-power --yes --no-wait")
}

// changes are what can be changed of a VM that runs.
func changes(c *cli) {
	c.in("az-changes")
	c.az("vm create -g az-changes -n vm --image Debian12 --size Standard_B2s --admin-username worker --ssh-key-values " + c.key + ".pub --tags a=b")
	id := c.id(vmType, "vm")
	c.agrees(c.az("vm update -g az-changes -n vm --set tags.x=y"), id, computeVersion)
	c.equal("tags", c.get(id, computeVersion)["tags"], map[string]string{"a": "b", "x": "y"})

	// Disks come and go.
	c.az("vm disk attach -g az-changes --vm-name vm -n extra --new --size-gb 16")
	c.az("disk create -g az-changes -n ready --size-gb 8")
	c.az("vm disk attach -g az-changes --vm-name vm -n ready")
	extra := c.id("Microsoft.Compute/disks", "extra")
	c.equal("disks", len(list(at(c.get(id, computeVersion), "properties", "storageProfile", "dataDisks"))), 2)
	c.equal("a new disk", at(c.get(extra, diskVersion), "properties", "diskSizeGB"), 16)
	c.equal("its owner", at(c.get(extra, diskVersion), "managedBy"), id)
	c.agrees(c.az("disk show -g az-changes -n extra"), extra, diskVersion)
	c.agrees(c.az("vm show -g az-changes -n vm"), id, computeVersion)
	c.refused(1, "OperationNotAllowed", "disk delete -g az-changes -n extra --yes")
	c.az("vm disk detach -g az-changes --vm-name vm -n extra")
	c.equal("state", at(c.get(extra, diskVersion), "properties", "diskState"), "Unattached")
	c.equal("disks", len(list(at(c.get(id, computeVersion), "properties", "storageProfile", "dataDisks"))), 1)

	// A way in for another port.
	c.az("vm open-port -g az-changes -n vm --port 80 --priority 1010")
	guard := c.get(c.id("Microsoft.Network/networkSecurityGroups", "vmNSG"), nicVersion)
	open := map[any]any{}
	for _, r := range list(at(guard, "properties", "securityRules")) {
		open[at(r, "name")] = at(r, "properties", "destinationPortRange")
	}
	c.equal("rules", open["open-port-80"], "80")
	rule := c.named(c.az("network nsg rule list -g az-changes --nsg-name vmNSG"), "open-port-80")
	c.agrees(rule, c.id(nsgType, "vmNSG")+"/securityRules/open-port-80", networkVersion)

	// Commands run inside.
	run := at(c.az("vm run-command invoke -g az-changes -n vm --command-id RunShellScript --scripts", "echo out; echo err >&2; hostname", "--parameters", "one"), "value")
	c.equal("code", at(run, "code"), "ProvisioningState/succeeded")
	c.matches("output", at(run, "message"), `(?s)\[stdout\]\nout\nvm\n\n\[stderr\]\nerr`)

	// Another user gets a key.
	c.az("vm user update -g az-changes -n vm -u guest --ssh-key-value " + c.key + ".pub")
	extension := c.get(id+"/extensions/enablevmaccess", computeVersion)
	c.equal("extension", at(extension, "properties", "provisioningState"), "Succeeded")
	c.equal("what was protected", at(extension, "properties", "protectedSettings"), nil)
	run = at(c.az("vm run-command invoke -g az-changes -n vm --command-id RunShellScript --scripts", "id -un guest; cat ~guest/.ssh/authorized_keys"), "value")
	c.matches("the user", at(run, "message"), `(?s)guest\nssh-ed25519 `)

	listed := c.named(c.az("vm extension list -g az-changes --vm-name vm"), "enablevmaccess")
	c.agrees(listed, id+"/extensions/enablevmaccess", computeVersion)
	c.az("vm extension delete -g az-changes --vm-name vm -n enablevmaccess")
	c.gone(id+"/extensions/enablevmaccess", computeVersion)

	c.equal("memory", c.named(c.az("vm list-vm-resize-options -g az-changes -n vm"), "Standard_B1s")["memoryInMb"], 1024)
	c.az("group delete -n az-changes --yes --no-wait")
}

// catalogue is what can be had.
func catalogue(c *cli) {
	sub := "/subscriptions/" + c.SubscriptionID
	place := sub + "/providers/Microsoft.Compute/locations/westus2"
	sizes := list(c.az("vm list-sizes -l westus2"))
	stored := list(c.get(place+"/vmSizes", computeVersion)["value"])
	c.equal("sizes", len(sizes), len(stored))
	for i := range stored {
		for _, d := range differences(sizes[i], stored[i]) {
			c.Error(d)
		}
	}
	usage := list(c.az("vm list-usage -l westus2"))
	used := map[any]any{}
	for _, u := range list(c.get(place+"/usages", computeVersion)["value"]) {
		used[at(u, "name", "value")] = u
	}
	c.equal("usages", len(usage), len(used))
	for _, u := range usage {
		stored := used[at(u, "name", "value")]
		limit, _ := at(stored, "limit").(float64)
		c.matches("limit", at(u, "limit"), "^"+number(limit)+"$") // a text for az; what is used changes while other parts run
		c.equal("name of a usage", at(u, "localName"), at(stored, "name", "localizedValue"))
	}
	sold := list(c.get(sub+"/providers/Microsoft.Compute/skus?$filter=location%20eq%20'westus2'", skuVersion)["value"])
	shown := list(c.az("vm list-skus -l westus2 --resource-type virtualMachines --size Standard_D2s_v5"))
	c.equal("sizes of this name", len(shown), 1)
	for _, d := range differences(shown[0], c.named(sold, "Standard_D2s_v5")) {
		c.Error(d)
	}
	restricted := c.az("vm list-skus -l westus2 --size Standard_NC24ads_A100_v4 --all")
	c.equal("restriction", at(restricted, "restrictions", "reasonCode"), "NotAvailableForSubscription")

	images := list(c.az("vm image list"))
	if len(images) == 0 {
		c.Error("no image has an alias")
	}
	c.want("ubuntu-24_04-lts", "vm image list-offers -l westus2 -p Canonical --query", "[?name=='ubuntu-24_04-lts'].name")
	c.want("server", "vm image list-skus -l westus2 -p Canonical -f ubuntu-24_04-lts --query", "[?name=='server'].name")
	all := list(c.az("vm image list --all -l westus2 -p Debian -f debian-12"))
	if len(all) == 0 {
		c.Error("no image of Debian")
	}
	image := c.az("vm image show -l westus2 --urn Debian:debian-12:12-gen2:latest")
	c.equal("generation", at(image, "hyperVGeneration"), "V2")
	c.equal("size", at(image, "osDiskImage", "sizeInGb"), 31)
	c.equal("images of one's own", len(list(c.az("image list"))), 0)
}
