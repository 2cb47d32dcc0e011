package azlin_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/launch/template"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/upkeep/update"
	"github.com/azlin-dev/azlin/vm"
)

// azlin.tag_manager: tags of a resource, by its id.
func Example_tags() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	id := w.launch("my-vm").VM.ID
	_, err := w.VMs.AddTags(ctx, id, map[string]string{"environment": "development", "owner": "team-a"})
	check(err)
	tags, err := w.VMs.Tags(ctx, id)
	check(err)
	fmt.Println(tags["environment"], tags["owner"], tags["managed-by"])
	_, err = w.VMs.RemoveTags(ctx, id, "owner")
	check(err)
	_, err = w.VMs.AddTags(ctx, id, map[string]string{"what?": ""})
	fmt.Println(errkind.Of(err), errors.Is(err, vm.ErrTags))
	// Output:
	// development team-a azlin
	// invalid true
}

// azlin.template_manager: keep what VMs are made from.
func Example_templates() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	templates := w.Templates
	check(templates.Create(ctx, template.Config{
		Name: "dev-template", VMSize: "Standard_D4s_v3", Region: "westus2", Image: "UbuntuLTS", AdminUsername: "azureuser",
		InstallTools: template.Tools{"docker", "nodejs", "python"}, Tags: map[string]string{"environment": "development"},
	}))
	names, err := templates.List()
	check(err)
	fmt.Println(names)
	loaded, err := templates.Load("dev-template")
	check(err)
	fmt.Println(loaded.VMSize)
	request, err := loaded.Request()
	check(err)
	fmt.Println(request.Region, request.Tools)
	check(templates.Delete(ctx, "dev-template"))
	_, err = templates.Load("dev-template")
	fmt.Println(errkind.Of(err), errors.Is(err, template.ErrTemplate))
	// Output:
	// [dev-template]
	// Standard_D4s_v3
	// westus2 [docker nodejs python]
	// notfound true
}

// azlin.status_dashboard: how a VM is, and how all of a group are.
func Example_status() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	result := w.launch("my-vm")
	_, err := remote.Execute(ctx, result.Host, "tmux new-session -d -s work", time.Minute)
	check(err)
	v, err := w.Statuses.Get(ctx, vm.Ref{Name: "my-vm"}, status.Options{})
	check(err)
	fmt.Println("VM:", v.Name)
	fmt.Println("State:", v.PowerState)
	fmt.Println("Memory is known:", v.MemoryUsage != nil)
	for _, session := range v.TmuxSessions {
		fmt.Println("Session:", session.Name, session.IsConnected, session.NumWindows)
	}
	report, err := w.Statuses.List(ctx, vm.ListOptions{ResourceGroup: "azlin-rg"}, status.Options{})
	check(err)
	fmt.Println(len(report.VMs), report.VMs[0].Status)
	// Output:
	// VM: my-vm
	// State: running
	// Memory is known: true
	// Session: work false 1
	// 1 Running
}

// azlin.vm_updater: bring the tools of a VM up to date.
func Example_update() {
	w := open()
	defer w.stop()
	dev := w.launch("dev").VM
	result, err := w.Updater.VM(context.Background(), dev, update.Options{Tools: []string{"git"}, Timeout: 10 * time.Minute})
	if errors.Is(err, update.ErrUpdate) {
		fmt.Println("Update failed:", err)
	}
	fmt.Println("Update completed:", result.Success)

	system, err := w.Updater.System(context.Background(), dev, update.Options{})
	check(err)
	fmt.Println(system.Tools[0].Name, system.Tools[0].After)
	// Output:
	// Update completed: true
	// apt 0 behind
}
