package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/credential"
)

// SeedOptions describe a fleet.
type SeedOptions struct {
	Group    string            `json:"group"`            // empty: fleet
	Location string            `json:"location"`         // empty: westus2
	VMs      int               `json:"vms"`              // how many
	Size     string            `json:"size,omitempty"`   // empty: Standard_B2s
	Prefix   string            `json:"prefix,omitempty"` // of the VMs' names; empty: vm
	User     string            `json:"user,omitempty"`   // empty: azureuser
	Keys     []string          `json:"keys,omitempty"`   // authorized_keys lines
	Tags     map[string]string `json:"tags,omitempty"`   // beside managed-by=azlin
	// Stopped is how many of the VMs, the last ones, are deallocated.
	Stopped int `json:"stopped,omitempty"`
}

func (o *SeedOptions) complete() {
	for p, v := range map[*string]string{&o.Group: "fleet", &o.Location: "westus2", &o.Size: "Standard_B2s", &o.Prefix: "vm", &o.User: "azureuser"} {
		if *p == "" {
			*p = v
		}
	}
}

// Seed makes a group with a network and VMs that have been running for a while. Their hosts boot
// when somebody connects. What is there already stays.
func (e *Emulator) Seed(o SeedOptions) error {
	o.complete()
	if o.VMs < 0 || o.VMs > 10000 {
		return fmt.Errorf("seed: %d VMs are not between 0 and 10000", o.VMs)
	}
	var err error
	e.arm.Do(func() { err = e.seed(o) })
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}

func (e *Emulator) seed(o SeedOptions) error {
	at := "/subscriptions/" + subscriptionID + "/resourceGroups/" + o.Group
	put := func(path, version string, body azjson.Object) error {
		_, err := e.arm.Inner(http.MethodPut, at+path, version, body, e.arm.Now())
		if err == nil {
			return nil
		}
		return err
	}
	tags := func() azjson.Object {
		t := azjson.Object{"managed-by": "azlin"}
		for k, v := range o.Tags {
			t[k] = v
		}
		return t
	}
	const network = "/providers/Microsoft.Network/"
	vnet, nsg := o.Group+"-vnet", o.Group+"-nsg"
	if e.arm.Find(at) == nil {
		if err := put("", "2021-04-01", azjson.Object{"location": o.Location, "tags": tags()}); err != nil {
			return err
		}
	}
	if e.arm.Find(at+network+"networkSecurityGroups/"+nsg) == nil {
		rule := azjson.Object{"name": "ssh", "properties": azjson.Object{
			"priority": 1000, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
			"sourceAddressPrefix": e.operator.String(), "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22",
		}}
		err := errors.Join(put(network+"networkSecurityGroups/"+nsg, "2025-05-01", azjson.Object{"location": o.Location, "tags": tags(), "properties": azjson.Object{"securityRules": []any{rule}}}),
			put(network+"virtualNetworks/"+vnet, "2025-05-01", azjson.Object{"location": o.Location, "tags": tags(), "properties": azjson.Object{
				"addressSpace": azjson.Object{"addressPrefixes": []any{"10.64.0.0/16"}},
				"subnets": []any{azjson.Object{"name": "default", "properties": azjson.Object{
					"addressPrefix": "10.64.0.0/17", "defaultOutboundAccess": false,
					"networkSecurityGroup": azjson.Object{"id": at + network + "networkSecurityGroups/" + nsg},
				}}},
			}}))
		if err != nil {
			return err
		}
	}
	e.arm.Complete(at + network + "networkSecurityGroups/" + nsg)
	e.arm.Complete(at + network + "virtualNetworks/" + vnet)
	for i := range o.VMs {
		if err := e.seedVM(o, at, i, put, tags); err != nil {
			return err
		}
	}
	return nil
}

// seedVM makes one VM with its address and interface.
func (e *Emulator) seedVM(o SeedOptions, at string, i int, put func(path, version string, body azjson.Object) error, tags func() azjson.Object) error {
	const network = "/providers/Microsoft.Network/"
	name := fmt.Sprintf("%s-%03d", o.Prefix, i+1)
	if e.arm.Find(at+"/providers/Microsoft.Compute/virtualMachines/"+name) != nil {
		return nil
	}
	keys := []any{}
	for _, k := range o.Keys {
		keys = append(keys, azjson.Object{"path": "/home/" + o.User + "/.ssh/authorized_keys", "keyData": k})
	}
	profile := azjson.Object{"computerName": name, "adminUsername": o.User, "linuxConfiguration": azjson.Object{"disablePasswordAuthentication": len(keys) > 0, "ssh": azjson.Object{"publicKeys": keys}}}
	if len(keys) == 0 {
		profile["adminPassword"] = "Aa1!" + credential.RandomHex(12) // nobody knows it: there are no keys to sign in with
	}
	own := tags()
	own["azlin-session"] = name
	err := put(network+"publicIPAddresses/"+name+"-ip", "2025-05-01", azjson.Object{
		"location": o.Location, "tags": tags(), "sku": azjson.Object{"name": "Standard"},
		"properties": azjson.Object{"publicIPAllocationMethod": "Static", "deleteOption": "Delete"},
	})
	if err == nil {
		e.arm.Complete(at + network + "publicIPAddresses/" + name + "-ip")
		err = put(network+"networkInterfaces/"+name+"-nic", "2025-05-01", azjson.Object{"location": o.Location, "tags": tags(), "properties": azjson.Object{
			"ipConfigurations": []any{azjson.Object{"name": "primary", "properties": azjson.Object{
				"subnet":          azjson.Object{"id": at + network + "virtualNetworks/" + o.Group + "-vnet/subnets/default"},
				"publicIPAddress": azjson.Object{"id": at + network + "publicIPAddresses/" + name + "-ip"},
			}}},
		}})
	}
	if err == nil {
		err = put("/providers/Microsoft.Compute/virtualMachines/"+name, "2025-04-01", azjson.Object{"location": o.Location, "tags": own, "properties": azjson.Object{
			"hardwareProfile": azjson.Object{"vmSize": o.Size},
			"storageProfile": azjson.Object{
				"imageReference": seedImage(o.Size),
				"osDisk":         azjson.Object{"name": name + "-os", "createOption": "FromImage", "deleteOption": "Delete"},
			},
			"osProfile":          profile,
			"networkProfile":     azjson.Object{"networkInterfaces": []any{azjson.Object{"id": at + network + "networkInterfaces/" + name + "-nic", "properties": azjson.Object{"primary": true, "deleteOption": "Delete"}}}},
			"diagnosticsProfile": azjson.Object{"bootDiagnostics": azjson.Object{"enabled": true}},
		}})
	}
	if err != nil {
		return err
	}
	e.compute.Settle(at+"/providers/Microsoft.Compute/virtualMachines/"+name, seedAge(i), i >= o.VMs-o.Stopped)
	return nil
}

// seedImage is an image that fits a size.
func seedImage(size string) azjson.Object {
	sku := "server"
	for _, s := range catalogue.Sizes() {
		switch {
		case !azjson.Fold(s.Name, size):
		case s.Arch == "Arm64":
			sku = "server-arm64"
		case s.Generations == "V1":
			sku = "server-gen1"
		}
	}
	return azjson.Object{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": sku, "version": "latest"}
}

// seedAge spreads the ages of the VMs over the last weeks.
func seedAge(i int) time.Duration { return time.Duration(1+i*7%400) * time.Hour }
