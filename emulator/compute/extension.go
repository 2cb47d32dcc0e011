package compute

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

func (p *Provider) extensions() {
	s, v := p.s, schema.Versions()
	s.Register(&arm.Type{Name: schema.ExtensionType, Versions: v, Rank: 5})
	s.RegisterKind("extension.put", arm.Kind{Run: p.hosted(p.applyExtension), Finish: p.finishExtension})
	s.RegisterKind("extension.delete", arm.Kind{Finish: func(op *arm.Operation, _ error) (time.Duration, error) {
		if e := s.Find(op.Target); e != nil {
			s.Remove(e)
		}
		return 0, nil
	}})
	const one = oneVM + "/extensions/{vmExtensionName}"
	s.Handle(http.MethodPut, one, v, p.putExtension)
	s.Handle(http.MethodGet, one, v, func(c *arm.Call) (*arm.Reply, error) {
		e := s.Find(c.Path)
		if e == nil {
			return nil, c.NotFound()
		}
		o, err := extensionShown(c, s.View(e), e)
		if err != nil {
			return nil, err
		}
		return arm.OK(o), nil
	})
	s.Handle(http.MethodGet, oneVM+"/extensions", v, func(c *arm.Call) (*arm.Reply, error) {
		vm, err := p.vm(c)
		if err != nil {
			return nil, err
		}
		l := []any{}
		for _, e := range p.extensionsOf(vm) {
			o, err := extensionShown(c, s.View(e), e)
			if err != nil {
				return nil, err
			}
			l = append(l, o)
		}
		return arm.OK(azjson.Object{"value": l}), nil
	})
	s.Handle(http.MethodDelete, one, v, func(c *arm.Call) (*arm.Reply, error) {
		e := s.Find(c.Path)
		if e == nil {
			return arm.Status(http.StatusNoContent), nil
		}
		if vm, err := p.vm(c); err == nil && power(vm) != powerRunning {
			return nil, notRunning()
		}
		return c.Async(arm.Status(http.StatusAccepted), s.Begin("extension.delete", e.ID, e.Location(), nil), polling.ComputeAction().Silent()), nil
	})
}

func (p *Provider) extensionsOf(vm *arm.Resource) []*arm.Resource {
	var l []*arm.Resource
	prefix := resourceid.Key(vm.ID) + "/extensions/"
	for _, e := range p.s.OfType(schema.ExtensionType) {
		if strings.HasPrefix(resourceid.Key(e.ID), prefix) {
			l = append(l, e)
		}
	}
	return l
}

func notRunning() *arm.Error {
	return arm.Conflict("OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running.")
}

// emulatedExtensions are the extensions that do something here.
const emulatedExtensions = " vmaccessforlinux customscript "

func (p *Provider) putExtension(c *arm.Call) (*arm.Reply, error) {
	vm, err := p.vm(c)
	if err != nil {
		return nil, err
	}
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	azjson.WithoutNulls(c.Body)
	typ := azjson.Str(c.Body, "properties", "type")
	if !strings.Contains(emulatedExtensions, " "+strings.ToLower(typ)+" ") {
		return nil, arm.NotImplemented(c.Method, "the extension "+azjson.Str(c.Body, "properties", "publisher")+"/"+typ)
	}
	if power(vm) != powerRunning {
		return nil, notRunning()
	}
	id := vm.ID + "/extensions/" + c.Param("vmExtensionName")
	args := azjson.Object{"vm": vm.ID, "type": typ, "settings": azjson.Get(c.Body, "properties", "settings"), "protected": azjson.Get(c.Body, "properties", "protectedSettings")}
	azjson.Drop(c.Body, "properties", "protectedSettings")
	old := p.s.Find(id)
	e := &arm.Resource{ID: id, Type: schema.ExtensionType, Body: c.Body}
	e.Body["id"], e.Body["name"], e.Body["type"], e.Body["location"] = id, e.Name(), schema.ExtensionType, vm.Location()
	e.Props()["provisioningState"] = "Creating"
	p.s.Add(e)
	rep := arm.Created(nil)
	if old != nil {
		e.Props()["provisioningState"] = "Updating"
		rep = arm.OK(nil)
	}
	rep.Body = p.s.View(e)
	return c.Async(rep, p.s.Begin("extension.put", id, vm.Location(), args), polling.Compute().Silent()), nil
}

func (p *Provider) applyExtension(ctx context.Context, op arm.Operation) (any, error) {
	id := resourceid.Key(azjson.Str(op.Args, "vm"))
	get := func(name string) string {
		if s := azjson.Str(op.Args, "protected", name); s != "" {
			return s
		}
		return azjson.Str(op.Args, "settings", name)
	}
	if azjson.Fold(azjson.Str(op.Args, "type"), "VMAccessForLinux") {
		user, key := get("username"), get("ssh_key")
		if user == "" || key == "" {
			return nil, fmt.Errorf("VMAccessForLinux needs username and ssh_key; passwords and resets are not emulated")
		}
		return nil, p.opt.Hosts.PutUser(ctx, id, user, strings.Split(strings.TrimSpace(key), "\n"))
	}
	script := get("commandToExecute")
	if script == "" {
		raw, err := base64.StdEncoding.DecodeString(get("script"))
		if err != nil || len(raw) == 0 {
			return nil, fmt.Errorf("CustomScript needs commandToExecute or script")
		}
		script = string(raw)
	}
	res, err := p.opt.Hosts.Run(ctx, id, script, nil)
	if err == nil && res.ExitCode != 0 {
		err = fmt.Errorf("command terminated with exit status=%d\n[stdout]\n%s\n[stderr]\n%s", res.ExitCode, tail(res.Stdout), tail(res.Stderr))
	}
	return res, err
}

func (p *Provider) finishExtension(op *arm.Operation, err error) (time.Duration, error) {
	op.Args = azjson.Object{} // holds what was protected
	e := p.s.Find(op.Target)
	if e == nil {
		return 0, nil
	}
	p.s.Touch(e)
	if err != nil {
		e.Props()["provisioningState"] = "Failed"
		e.Hidden["message"] = err.Error()
		return 0, arm.Conflict("VMExtensionProvisioningError", "VM has reported a failure when processing extension '%s'. Error message: %q.", e.Name(), err.Error())
	}
	e.Props()["provisioningState"] = "Succeeded"
	e.Hidden["message"] = "Enable succeeded."
	if res, ok := op.Result.(RunResult); ok {
		e.Hidden["message"] = printed(res)
	}
	return 0, nil
}

// extensionShown is an extension with what $expand asks for.
func extensionShown(c *arm.Call, o azjson.Object, e *arm.Resource) (azjson.Object, error) {
	switch expand := c.Arg("$expand"); {
	case expand == "":
		return o, nil
	case !azjson.Fold(expand, "instanceView"):
		return nil, arm.InvalidParameter("$expand", "The value '%s' of parameter '$expand' is invalid.", expand)
	}
	if view := extensionView(e); view != nil {
		azjson.Put(o, view, "properties", "instanceView")
	}
	return o, nil
}

// extensionView is how an extension went; nil while the agent has not said anything.
func extensionView(e *arm.Resource) azjson.Object {
	typ := azjson.Str(e.Body, "properties", "publisher") + "." + azjson.Str(e.Body, "properties", "type")
	version := azjson.Str(e.Body, "properties", "typeHandlerVersion") + ".0" // some release of the one that was asked for
	state := azjson.Object{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded", "message": azjson.Str(e.Hidden, "message")}
	switch schema.Provisioning(e) {
	case "Succeeded":
	case "Failed":
		state["code"], state["level"], state["displayStatus"] = "ProvisioningState/failed", "Error", "Provisioning failed"
	default:
		return nil
	}
	return azjson.Object{"name": e.Name(), "type": typ, "typeHandlerVersion": version, "statuses": []any{state}}
}

// extensionViews are a VM's extensions in its instance view: what installed them, and how each of them went.
func (p *Provider) extensionViews(vm *arm.Resource) (handlers, extensions []any) {
	handlers = []any{}
	seen := map[string]bool{}
	for _, e := range p.extensionsOf(vm) {
		view := extensionView(e)
		if view == nil {
			continue
		}
		extensions = append(extensions, view)
		if typ := azjson.Str(view, "type"); !seen[typ] {
			seen[typ] = true
			handlers = append(handlers, azjson.Object{"type": typ, "typeHandlerVersion": view["typeHandlerVersion"], "status": azjson.Object{
				"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready", "message": "Plugin enabled",
			}})
		}
	}
	return handlers, extensions
}
