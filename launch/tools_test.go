package launch_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/logs"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// faults is a cloud-init file that makes packages of an emulated VM go wrong.
func faults(lines ...string) []byte {
	return []byte("#cloud-config\nwrite_files:\n  - {path: /etc/azlin-emulator/faults, content: \"" + strings.Join(lines, `\n`) + "\\n\"}\n")
}

func TestToolsAreWaitedFor(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "here", nil)
	r := c.request("dev")
	r.WaitTools = true
	r.Setup = launch.Setup{StartupScript: "echo $HOME > /var/tmp/startup\n", CloudInit: faults("gh fail")}
	var said []string
	display := progress.New(0, func(e progress.Event) { said = append(said, e.Stage.Name+" "+e.Message) })
	plan, err := client.Launcher.Plan(t.Context(), r, display)
	if err != nil {
		t.Fatal(err)
	}
	result, err := client.Launcher.Run(t.Context(), plan, display)
	if err != nil {
		t.Fatal(err)
	}
	// One tool failed, and is named; the others are there, and so is the VM.
	err = result.ToolsErr()
	if errkind.Of(err) != errkind.Partial || !strings.Contains(err.Error(), "gh failed") {
		t.Errorf("got %v", err)
	}
	if result.Tools.State != logs.Failed || len(result.Tools.Tools) != len(cloudinit.ToolNames())+1 {
		t.Errorf("%+v", result.Tools)
	}
	for _, tool := range result.Tools.Tools {
		switch {
		case tool.Name == "gh":
			if tool.State != logs.Failed || !strings.Contains(tool.Output, "dpkg: error processing") {
				t.Errorf("%+v", tool)
			}
		case tool.State != logs.Done || tool.Seconds == nil || tool.Version == "" && tool.Name != cloudinit.StartupName:
			t.Errorf("%+v", tool)
		}
	}
	if !slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, "tools ") && strings.Contains(s, "gh failed") }) {
		t.Errorf("progress: %q", said)
	}
	if _, err := run(t.Context(), client, c.request("dev")); errkind.Of(err) != errkind.Conflict {
		t.Errorf("a finished VM: %v", err)
	}
	out, err := remote.Execute(t.Context(), result.Host, "cat /var/tmp/startup; docker --version; id -nG azureuser", time.Minute)
	if err != nil || !strings.HasPrefix(out.Stdout, "/root\nDocker version") || !strings.Contains(out.Stdout, " docker") {
		t.Errorf("%+v %v", out, err)
	}
}

func TestSetupIsCheckedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "here", nil)
	before := c.Emulator.Counts().Requests
	for name, setup := range map[string]launch.Setup{
		"a tool":   {Tools: []string{"emacs"}},
		"a file":   {CloudInit: []byte("hello")},
		"a script": {StartupScript: "\x00"},
	} {
		r := c.request("dev")
		r.Setup = setup
		if _, err := run(t.Context(), client, r); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := c.Emulator.Counts().Requests; len(before) != 0 || len(after) != 0 {
		t.Errorf("requests before %v, after %v", before, after)
	}
}

// TestToolsSurviveARestart restarts a VM while a tool is being installed: the installation goes on after it.
func TestToolsSurviveARestart(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "here", nil)
	r := c.request("dev")
	r.Setup = launch.Setup{Tools: []string{"git", "nodejs", "uv"}, StartupScript: "echo x >> /var/tmp/startup\n", CloudInit: append(faults("nodejs hold /opt/held"), "  - {path: /opt/held, content: x}\n"...)}
	result, err := run(t.Context(), client, r)
	if err != nil {
		t.Fatal(err)
	}
	if result.Tools != nil || result.ToolsErr() != nil {
		t.Errorf("nobody asked to wait: %+v", result.Tools)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ssh, err := remote.Dial(ctx, result.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { ssh.Close() }()
	restarted := false
	connect := func(ctx context.Context) (*remote.Client, error) {
		return remote.WaitForSSH(ctx, result.Host, 50*time.Millisecond, nil)
	}
	var i logs.Installation
	i, ssh, err = logs.Await(ctx, ssh, 50*time.Millisecond, connect, func(i logs.Installation) {
		if !restarted && slices.ContainsFunc(i.Tools, func(t logs.Tool) bool { return t.Name == "nodejs" && t.State == logs.Running }) {
			restarted = true
			restart(ctx, t, client, result.VM)
			release(ctx, t, result.Host, "/opt/held")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !restarted || i.State != logs.Done {
		t.Errorf("restarted %t: %+v", restarted, i)
	}
	out, err := ssh.Output(ctx, "cat /var/tmp/startup; sudo cat /var/lib/azlin/tools.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.Stdout, "x\n") != 1 || strings.Count(out.Stdout, `"tool":"git"`) != 1 || strings.Count(out.Stdout, `{"start":"nodejs"}`) != 2 {
		t.Errorf("what was done is done again, or not at all:\n%s", out.Stdout)
	}
}

// release lets an installation go on that a file holds.
func release(ctx context.Context, t *testing.T, h remote.Host, file string) {
	t.Helper()
	c, err := remote.WaitForSSH(ctx, h, 50*time.Millisecond, nil)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = c.Close() }() // what matters was done before
	if out, err := c.Output(ctx, "sudo rm "+file); err != nil || !out.Success {
		t.Errorf("%+v, %v", out, err)
	}
}

func restart(ctx context.Context, t *testing.T, client *azlin.Client, i vm.Info) {
	t.Helper()
	if _, err := client.VMs.Restart(ctx, i.Ref, vm.PowerOptions{}); err != nil {
		t.Error(err)
	}
}

// TestToolsAreStubborn has somebody else's apt hold the lock, and a mirror that fails once.
func TestToolsAreStubborn(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "here", nil)
	r := c.request("dev")
	r.WaitTools = true
	// Somebody else's apt holds the lock until a second after the first tool was begun.
	r.Setup = launch.Setup{Tools: []string{"ripgrep", "gh", "nodejs"}, CloudInit: []byte(`#cloud-config
bootcmd:
  - mkdir -p /etc/azlin-emulator && touch /opt/held
  - printf 'tree hold /opt/held\nnodejs network 1\ngh network\n' > /etc/azlin-emulator/faults
  - apt-get install -y tree > /var/tmp/theirs 2>&1 &
  - (until grep -q '"start":"ripgrep"' /var/lib/azlin/tools.jsonl; do sleep 0.1; done; sleep 1; rm /opt/held) 2>/dev/null &
`)}
	result, err := run(t.Context(), client, r)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]logs.State{}
	for _, tool := range result.Tools.Tools {
		got[tool.Name] = tool.State
		if tool.Name == "ripgrep" && (tool.Seconds == nil || *tool.Seconds < 0.3) {
			t.Errorf("it did not wait for the lock: %+v", tool)
		}
		if tool.Name == "gh" && !strings.Contains(tool.Output, "Temporary failure resolving") {
			t.Errorf("why it failed is not told: %+v", tool)
		}
	}
	if got["ripgrep"] != logs.Done || got["nodejs"] != logs.Done || got["gh"] != logs.Failed {
		t.Errorf("got %v", got)
	}
	out, err := remote.Execute(t.Context(), result.Host, "tail -n 1 /var/tmp/theirs; grep -c 'Failed to fetch .*/gh' /var/log/cloud-init-output.log", time.Minute)
	if err != nil || out.Stdout != "Setting up tree (2.1.1-2ubuntu3) ...\n2\n" {
		t.Errorf("%+v %v", out, err)
	}
}
