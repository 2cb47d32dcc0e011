package compute

import (
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// Power states, as they follow "PowerState/".
const (
	powerNone         = "" // has not been allocated
	powerStarting     = "starting"
	powerRunning      = "running"
	powerStopping     = "stopping"
	powerStopped      = "stopped"
	powerDeallocating = "deallocating"
	powerDeallocated  = "deallocated"
)

func power(vm *arm.Resource) string { return azjson.Str(vm.Hidden, "power") }

func (p *Provider) setPower(vm *arm.Resource, state string) {
	vm.Hidden["power"] = state
	vm.Hidden["powerSince"] = p.s.Now().Format(time.RFC3339Nano)
	p.remember(vm, state, p.s.Now())
	p.diskStates(vm)
	p.s.Touch(vm)
}

// instanceView is the state of a VM at this moment.
func (p *Provider) instanceView(vm *arm.Resource) azjson.Object {
	since := arm.Time(vm.Changed)
	if t, err := time.Parse(time.RFC3339Nano, azjson.Str(vm.Hidden, "powerSince")); err == nil {
		since = arm.Time(t)
	}
	state := schema.Provisioning(vm)
	status := azjson.Object{"code": "ProvisioningState/" + lower(state), "level": "Info", "displayStatus": title(state), "time": since}
	if state == "Failed" {
		status["code"], status["level"], status["displayStatus"] = "ProvisioningState/failed", "Error", "Provisioning failed"
		if code := azjson.Str(vm.Hidden, "failure", "code"); code != "" {
			status["code"] = "ProvisioningState/failed/" + code
			status["message"] = azjson.Str(vm.Hidden, "failure", "message")
		}
	}
	statuses := []any{status}
	if pw := power(vm); pw != powerNone {
		statuses = append(statuses, azjson.Object{"code": "PowerState/" + pw, "level": "Info", "displayStatus": "VM " + pw})
	}
	if azjson.Bool(vm.Hidden, "generalized") {
		statuses = append(statuses, azjson.Object{"code": "OSState/generalized", "level": "Info", "displayStatus": "VM generalized"})
	}
	view := azjson.Object{"statuses": statuses, "hyperVGeneration": azjson.Str(vm.Hidden, "generation"), "disks": p.diskViews(vm, since)}
	if pw := power(vm); pw == powerRunning {
		view["computerName"] = azjson.Str(vm.Body, "properties", "osProfile", "computerName")
		view["osName"], view["osVersion"] = azjson.Str(vm.Hidden, "osName"), azjson.Str(vm.Hidden, "osVersion")
		handlers, extensions := p.extensionViews(vm)
		if len(extensions) > 0 {
			view["extensions"] = extensions
		}
		view["vmAgent"] = azjson.Object{
			"vmAgentVersion": "2.11.1.12", "extensionHandlers": handlers,
			"statuses": []any{azjson.Object{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready", "message": "Guest Agent is running", "time": since}},
		}
	}
	if azjson.Bool(vm.Body, "properties", "diagnosticsProfile", "bootDiagnostics", "enabled") {
		view["bootDiagnostics"] = azjson.Object{}
	}
	return view
}

func (p *Provider) diskViews(vm *arm.Resource, since string) []any {
	l := []any{}
	for _, d := range p.attached(vm) {
		l = append(l, azjson.Object{"name": d.Name(), "statuses": []any{azjson.Object{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded", "time": since}}})
	}
	return l
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}

// title is the displayStatus of a provisioning state.
func title(state string) string {
	switch state {
	case "Succeeded":
		return "Provisioning succeeded"
	case "Failed":
		return "Provisioning failed"
	}
	return state
}
