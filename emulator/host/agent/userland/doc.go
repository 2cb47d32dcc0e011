//go:build unix

// Package userland is the programs of an Ubuntu VM that the host may lack, or whose work only pid 1 can do: sudo, su,
// cloud-init, systemctl, and those that switch off.
package userland

// Run runs one of the programs and returns its exit code; ok is false when it is none of them.
func Run(name string, args []string) (code int, ok bool) {
	switch name {
	case "sudo":
		return runSudo(args), true
	case "su":
		return runSu(args), true
	case "cloud-init":
		return runCloudInit(args), true
	case "reboot", "shutdown", "poweroff", "halt":
		return runPower(name, args), true
	case "systemctl":
		return runSystemctl(args), true
	}
	return 0, false
}
