package rbac

import (
	"net/http"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Action is what Azure calls the right to make a request, from the route it takes:
// Microsoft.Compute/virtualMachines/start/action.
func Action(method, template string) string {
	seg := strings.Split(strings.Trim(template, "/"), "/")
	at := -1
	for i, s := range seg {
		if s == "providers" && i+1 < len(seg) {
			at = i
		}
	}
	var words []string
	switch {
	case at >= 0 && seg[at+1][0] == '{': // of a provider itself
		words = []string{"Microsoft.Resources/subscriptions/providers"}
		if at+2 < len(seg) {
			words = append([]string{seg[at+1]}, seg[at+2:]...)
		}
	case at >= 0:
		words = []string{seg[at+1]}
		for i := at + 2; i < len(seg); i += 2 {
			words = append(words, seg[i])
		}
	default:
		words = []string{"Microsoft.Resources"}
		for i := 0; i < len(seg); i += 2 {
			words = append(words, spell(seg[i]))
		}
	}
	name := strings.Join(words, "/")
	switch method {
	case http.MethodGet, http.MethodHead:
		return name + "/read"
	case http.MethodDelete:
		return name + "/delete"
	case http.MethodPost:
		return name + "/action"
	}
	return name + "/write"
}

// spell writes a segment as Azure does in the names of actions, where its URLs differ.
func spell(segment string) string {
	if segment == "resourcegroups" {
		return "resourceGroups"
	}
	return segment
}

// need is an action at a scope.
type need struct{ action, scope string }

// scopeOf is what a request is about: a named resource, or the group or subscription of a list.
func scopeOf(c *arm.Call) string {
	if scope := c.Param("scope"); scope != "" {
		return scope
	}
	seg := strings.Split(strings.Trim(c.Path, "/"), "/")
	tmpl := strings.Split(strings.Trim(c.Route.Template, "/"), "/")
	at := len(tmpl)
	for i, s := range tmpl {
		if s == "providers" {
			at = i
		}
	}
	// A resource is named by pairs behind its provider; an action's own name is not part of it.
	if rest := len(tmpl) - at - 2; at < len(tmpl) && c.Group() != "" && rest >= 2 {
		return "/" + strings.Join(seg[:at+2+rest-rest%2], "/")
	}
	return "/" + strings.Join(seg[:min(at, len(seg))], "/")
}

// linked are the further actions that a body needs, because it refers to other resources.
func linked(c *arm.Call) []need {
	if c.Method != http.MethodPut && c.Method != http.MethodPatch {
		return nil
	}
	var l []need
	join := func(action string, refs ...any) {
		for _, r := range refs {
			if id := azjson.Str(r, "id"); id != "" {
				l = append(l, need{action, id})
			}
		}
	}
	configurations := func(list []any) {
		for _, ip := range list {
			join("Microsoft.Network/virtualNetworks/subnets/join/action", azjson.Get(ip, "properties", "subnet"))
			join("Microsoft.Network/publicIPAddresses/join/action", azjson.Get(ip, "properties", "publicIPAddress"))
		}
	}
	subnet := func(s any) {
		join("Microsoft.Network/networkSecurityGroups/join/action", azjson.Get(s, "properties", "networkSecurityGroup"))
		join("Microsoft.Network/natGateways/join/action", azjson.Get(s, "properties", "natGateway"))
	}
	switch _, typ := c.Route.Kind(); typ {
	case "virtualMachines":
		join("Microsoft.Network/networkInterfaces/join/action", azjson.List(c.Body, "properties", "networkProfile", "networkInterfaces")...)
		if name := azjson.Str(c.Body, "properties", "storageProfile", "osDisk", "name"); name != "" && c.Method == http.MethodPut {
			l = append(l, need{"Microsoft.Compute/disks/write", c.ID("Microsoft.Compute", "disks", name)})
		}
	case "networkInterfaces":
		configurations(azjson.List(c.Body, "properties", "ipConfigurations"))
		join("Microsoft.Network/networkSecurityGroups/join/action", azjson.Get(c.Body, "properties", "networkSecurityGroup"))
	case "virtualNetworks":
		for _, s := range azjson.List(c.Body, "properties", "subnets") {
			subnet(s)
		}
	case "virtualNetworks/subnets":
		subnet(c.Body)
	case "bastionHosts":
		configurations(azjson.List(c.Body, "properties", "ipConfigurations"))
	case "virtualNetworks/virtualNetworkPeerings":
		join("Microsoft.Network/virtualNetworks/peer/action", azjson.Get(c.Body, "properties", "remoteVirtualNetwork"))
	case "loadBalancers":
		configurations(azjson.List(c.Body, "properties", "frontendIPConfigurations"))
	case "privateEndpoints":
		join("Microsoft.Network/virtualNetworks/subnets/join/action", azjson.Get(c.Body, "properties", "subnet"))
	case "natGateways":
		join("Microsoft.Network/publicIPAddresses/join/action", azjson.List(c.Body, "properties", "publicIpAddresses")...)
	}
	return l
}
