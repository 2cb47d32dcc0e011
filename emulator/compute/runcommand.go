package compute

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// maxOutput is how much of a script's output Run Command gives back: its end.
const maxOutput = 4096

func (p *Provider) runCommands() {
	p.s.RegisterKind("vm.runcommand", arm.Kind{Run: p.hosted(p.runScript), Finish: p.finishScript})
	p.s.Handle(http.MethodPost, oneVM+"/runCommand", schema.Versions(), p.runCommand)
}

func (p *Provider) runCommand(c *arm.Call) (*arm.Reply, error) {
	vm, err := p.vm(c)
	if err != nil {
		return nil, err
	}
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	if id := azjson.Str(c.Body, "commandId"); id != "RunShellScript" {
		return nil, arm.Refuse(http.StatusNotFound, "NotFound", "The entity was not found: RunCommand document '%s'.", id)
	}
	if power(vm) != powerRunning {
		return nil, arm.Conflict("OperationNotAllowed", "The operation requires the VM to be running (or set to run).")
	}
	target := vm.ID + "/runCommand"
	if p.s.Current(target) != nil {
		return nil, arm.Conflict("Conflict", "Run command extension execution is in progress. Please wait for completion before invoking a run command.")
	}
	var lines []string
	for _, e := range azjson.List(c.Body, "script") {
		s, _ := e.(string)
		lines = append(lines, s)
	}
	var params []any
	for _, e := range azjson.List(c.Body, "parameters") {
		v := azjson.Str(e, "value")
		if n := azjson.Str(e, "name"); n != "" {
			v = n + "=" + v
		}
		params = append(params, v)
	}
	op := p.s.Begin("vm.runcommand", target, vm.Location(), azjson.Object{"vm": vm.ID, "script": strings.Join(lines, "\n"), "parameters": params})
	return c.Async(arm.Status(http.StatusAccepted), op, polling.ComputeAction().Silent()), nil
}

func (p *Provider) runScript(ctx context.Context, op arm.Operation) (any, error) {
	var params []string
	for _, e := range azjson.List(op.Args, "parameters") {
		if s, ok := e.(string); ok {
			params = append(params, s)
		}
	}
	return p.opt.Hosts.Run(ctx, resourceid.Key(azjson.Str(op.Args, "vm")), azjson.Str(op.Args, "script"), params)
}

func (p *Provider) finishScript(op *arm.Operation, err error) (time.Duration, error) {
	// What the script was is of no use any more, and may hold secrets.
	op.Args = azjson.Object{}
	if err != nil {
		return 0, arm.Conflict("VMExtensionProvisioningError", "VM has reported a failure when processing extension 'RunCommandLinux'. Error message: %q.", err.Error())
	}
	res, _ := op.Result.(RunResult) // without hosts nothing ran, and nothing was printed
	op.Output = azjson.Object{"value": []any{azjson.Object{
		"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
		"message": printed(res),
	}}}
	return 0, nil
}

// printed is how the agent tells what a script printed.
func printed(res RunResult) string {
	return "Enable succeeded: \n[stdout]\n" + tail(res.Stdout) + "\n[stderr]\n" + tail(res.Stderr)
}

func tail(s string) string { return s[max(0, len(s)-maxOutput):] }
