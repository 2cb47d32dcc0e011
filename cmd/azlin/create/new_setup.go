package create

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// setupFlags say what the VM does with itself at its first boot.
type setupFlags struct {
	tools              []string
	startup, cloudInit string
	wait               string
}

// The values of --wait.
const (
	waitSSH   = "ssh"
	waitTools = "tools"
)

func (f *setupFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.tools, "tools", nil, "tools to install: all, none, or some of "+strings.Join(cloudinit.ToolNames(), ",")+"(default: all)")
	flags.StringVar(&f.startup, "startup-script", "", "script file that the VM runs once, as root, after everything else")
	flags.StringVar(&f.cloudInit, "cloud-init", "", "file with #cloud-config or a script for the first boot, in addition to azlin's")
	flags.StringVar(&f.wait, "wait", waitSSH, "wait until the VM accepts SSH (ssh) or until its tools are installed (tools)")
	app.Complete(cmd, "tools", append([]string{"all", "none"}, cloudinit.ToolNames()...))
	app.Complete(cmd, "wait", []string{waitSSH, waitTools})
}

// into puts what the flags ask for into a request, and checks it.
func (f setupFlags) into(cmd *cobra.Command, r *launch.Request) error {
	switch {
	case f.tools == nil || slices.Equal(f.tools, []string{"all"}):
	case slices.Equal(f.tools, []string{"none"}):
		r.Tools = []string{}
	default:
		if _, err := cloudinit.SelectTools(f.tools); err != nil {
			return app.Usage(cmd, "--tools: %w", err)
		}
		r.Tools = f.tools
	}
	if f.wait != waitSSH && f.wait != waitTools {
		return app.Usage(cmd, "--wait %q: use %s or %s", f.wait, waitSSH, waitTools)
	}
	r.WaitTools = f.wait == waitTools
	script, err := readSmall("--startup-script", f.startup)
	if err != nil {
		return err
	}
	r.StartupScript = string(script)
	if r.CloudInit, err = readSmall("--cloud-init", f.cloudInit); err != nil {
		return err
	}
	if f.startup != "" && len(script) == 0 || f.cloudInit != "" && len(r.CloudInit) == 0 {
		return errkind.New(errkind.Invalid, "%s is empty", strings.Join(slices.DeleteFunc([]string{f.startup, f.cloudInit}, func(s string) bool { return s == "" }), " or "))
	}
	return r.Check(r.AdminUsername)
}

// readSmall reads a file that has to fit into custom data; no name, no file.
func readSmall(flag, name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "%s: %w", flag, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, cloudinit.MaxSize+1))
	if err == nil && len(data) > cloudinit.MaxSize {
		err = fmt.Errorf("%s has more than the %d bytes that Azure takes", name, cloudinit.MaxSize)
	}
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "%s: %w", flag, err)
	}
	return data, nil
}

// setupLines show in a plan what the VM will do with itself.
func setupLines(s launch.Setup) []app.PlanLine {
	tools := "all: " + strings.Join(cloudinit.ToolNames(), ", ")
	switch {
	case s.Tools != nil && len(s.Tools) == 0:
		tools = "none"
	case s.Tools != nil:
		tools = strings.Join(s.Tools, ", ")
	}
	lines := []app.PlanLine{app.Line("tools", tools)}
	if s.StartupScript != "" {
		lines = append(lines, app.Line("startup script", fmt.Sprintf("%d bytes, run as root", len(s.StartupScript))))
	}
	if len(s.CloudInit) > 0 {
		lines = append(lines, app.Line("cloud-init file", fmt.Sprintf("%d bytes", len(s.CloudInit))))
	}
	return lines
}

// finishLaunch ends a launch whose session, command or output is over: with that error, else with what became
// of the tools.
func finishLaunch(result *launch.Result, err error) error {
	if err != nil {
		return err
	}
	return result.ToolsErr()
}

// sayTools warns of tools that failed, before something else takes the screen.
func (a Commands) sayTools(result *launch.Result) {
	if err := result.ToolsErr(); err != nil {
		a.Say("warning: " + err.Error())
	}
}
