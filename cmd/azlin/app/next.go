package app

import (
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

// Next is a next step that a command words itself, as a command line.
func Next(words ...string) errkind.Step {
	return errkind.Step{Action: errkind.Run, Command: strings.Join(words, " ")}
}

// WordStep is the command line for a next step; empty for none.
func WordStep(s errkind.Step) string {
	if word, ok := wording()[s.Action]; ok {
		return word(s)
	}
	return s.Command
}

// Worded are the actions that azlin has a command for.
func Worded() []errkind.Action {
	var all []errkind.Action
	for a := range wording() {
		all = append(all, a)
	}
	return all
}

// wording is the one place where next steps become commands.
func wording() map[errkind.Action]func(errkind.Step) string {
	group := func(s errkind.Step) string { return flag("-g", s.Group) }
	plain := func(line string) func(errkind.Step) string { return func(errkind.Step) string { return line } }
	vm := func(command string) func(errkind.Step) string {
		return func(s errkind.Step) string { return command + " " + word(s.VM, "VM") }
	}
	name := func(command, missing string) func(errkind.Step) string {
		return func(s errkind.Step) string { return command + " " + word(s.Name, missing) }
	}
	return map[errkind.Action]func(errkind.Step) string{
		errkind.CreateVM: func(s errkind.Step) string { return "azlin new --name " + word(s.VM, "NAME") + group(s) },
		errkind.CloneVM: func(s errkind.Step) string {
			line := "azlin clone " + word(s.VM, "VM") + group(s) + " --name " + word(s.Name, "NAME")
			if s.Count > 1 {
				line += " --replicas " + strconv.Itoa(s.Count)
			}
			return line
		},
		errkind.ShowVM:    vm("azlin show"),
		errkind.ListVMs:   plain("azlin list"),
		errkind.StartVM:   vm("azlin start"),
		errkind.StopVM:    vm("azlin stop"),
		errkind.RestartVM: vm("azlin restart"),
		errkind.DeleteVM:  func(s errkind.Step) string { return vm("azlin kill")(s) + group(s) },
		errkind.ResizeVM:  func(s errkind.Step) string { return vm("azlin resize")(s) + " " + word(s.Name, "SIZE") + group(s) },
		errkind.ConnectVM: vm("azlin connect"),
		errkind.AdmitMe:   func(s errkind.Step) string { return vm("azlin connect")(s) + " --yes" },
		errkind.ReadLog:   func(s errkind.Step) string { return vm("azlin logs")(s) + flag("--source", s.Name) },
		errkind.ExecOnVM:  func(s errkind.Step) string { return vm("azlin exec")(s) + " -- " + remote.Quote(s.Command) },
		errkind.JoinTmux: func(s errkind.Step) string {
			return vm("azlin connect")(s) + " -- tmux attach-session -t " + word("="+s.Name, "NAME")
		},
		errkind.WriteHosts:   plain("azlin ssh-config"),
		errkind.UpdateTools:  func(s errkind.Step) string { return vm("azlin update")(s) + flag("--tools", s.Name) },
		errkind.UpdateSystem: vm("azlin os-update"),

		errkind.ListKeys:   plain("azlin keys list"),
		errkind.ListCopies: plain("azlin keys list --backups"),
		errkind.RotateKeys: plain("azlin keys rotate"),
		errkind.PushKey:    func(s errkind.Step) string { return vm("azlin keys rotate")(s) + " --via-azure" },

		errkind.ListOperations:  plain("azlin operations list"),
		errkind.ResumeOperation: name("azlin operations resume", "ID"),
		errkind.ForgetOperation: name("azlin operations forget", "ID"),

		errkind.ListRegions:     plain("azlin regions"),
		errkind.ListSizes:       func(s errkind.Step) string { return "azlin sizes" + flag("--region", s.Region) },
		errkind.ListMarketplace: func(s errkind.Step) string { return "azlin images" + arg(s.Name) + flag("--region", s.Region) },
		errkind.ListImages:      plain("azlin image list"),
		errkind.BakeImage: func(s errkind.Step) string {
			return vm("azlin image bake")(s) + group(s) + " --name " + word(s.Name, "NAME") + flag("--size", s.Size)
		},
		errkind.DeleteImage:   func(s errkind.Step) string { return name("azlin image delete", "NAME")(s) + group(s) },
		errkind.ListTemplates: plain("azlin template list"),
		errkind.CreateBastion: func(s errkind.Step) string { return "azlin bastion create" + flag("--vnet", s.Name) + group(s) },
		errkind.CloseTunnel:   name("azlin tunnel close", "NAME"),

		errkind.ShowPermissions: plain("azlin auth permissions"),
		errkind.SignInByCode:    plain("azlin login --device-code"),
		errkind.SignOut:         plain("azlin logout"),
		errkind.EditConfig:      plain("azlin config edit"),
	}
}

// word is a value on a command line, or missing in its place.
func word(value, missing string) string {
	if value == "" {
		return missing
	}
	return remote.Quote(value)
}

func arg(value string) string {
	if value == "" {
		return ""
	}
	return " " + remote.Quote(value)
}

func flag(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + " " + remote.Quote(value)
}
