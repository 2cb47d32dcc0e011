//go:build unix

package userland

import (
	"fmt"
	"os"
	"slices"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// runPower is reboot, shutdown and poweroff: pid 1 tells the emulator, which does it.
func runPower(program string, args []string) int {
	op := wire.OpHalt
	if program == "reboot" || slices.Contains(args, "-r") || slices.Contains(args, "--reboot") {
		op = wire.OpReboot
	}
	return request(program, op)
}

// runSystemctl answers what an emulated VM can answer truthfully: there is no systemd, but ssh does run.
func runSystemctl(args []string) int {
	words := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return len(a) > 0 && a[0] == '-' })
	if len(words) == 1 && (words[0] == "reboot" || words[0] == "poweroff") {
		op := wire.OpHalt
		if words[0] == "reboot" {
			op = wire.OpReboot
		}
		return request("systemctl", op)
	}
	if len(words) == 1 && words[0] == "is-system-running" {
		fmt.Println("running")
		return 0
	}
	ssh := len(words) == 2 && slices.Contains([]string{"ssh", "sshd", "ssh.service", "sshd.service", "ssh.socket"}, words[1])
	switch {
	case ssh && words[0] == "is-active":
		fmt.Println("active")
		return 0
	case ssh && words[0] == "is-enabled":
		fmt.Println("enabled")
		return 0
	case len(words) == 1 && words[0] == "daemon-reload",
		ssh && slices.Contains([]string{"restart", "reload", "start", "enable"}, words[0]):
		return 0 // the emulator reads each user's keys anew at every login
	case len(words) == 2 && words[0] == "is-active":
		fmt.Println("inactive")
		return 3
	case len(words) == 2 && words[0] == "is-enabled":
		fmt.Fprintf(os.Stderr, "Failed to get unit file state for %s: No such file or directory\n", words[1])
		return 1
	}
	fmt.Fprintln(os.Stderr, "System has not been booted with systemd as init system (PID 1). Can't operate.")
	return 1
}

// request asks pid 1 for something only root may have.
func request(program, op string) int {
	if os.Getuid() != 0 {
		fmt.Fprintf(os.Stderr, "%s: must be root\n", program)
		return 1
	}
	call, err := ask(account.RootAccount().Name, wire.Request{Op: op})
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
		return 1
	}
	defer call.Close()
	var event wire.Event
	files, err := call.Receive(&event)
	wire.CloseFiles(files)
	if err != nil || event.Err != "" {
		fmt.Fprintf(os.Stderr, "%s: %v%v\n", program, event.Err, err)
		return 1
	}
	return 0
}
