//go:build unix

package host

import "github.com/azlin-dev/azlin/emulator/host/agent"

// runAgent is a process of a VM, if args say that this is one.
func runAgent(args []string) (code int, ok bool) {
	if len(args) < 3 || args[1] != agent.Marker {
		return 0, false
	}
	return agent.Run(args[2], args[3:]), true
}
