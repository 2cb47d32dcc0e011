package host

import "os"

// Main is the hook that every program and test binary which boots VMs calls first: started again as a VM's agent,
// this process does that and exits; otherwise Main returns at once.
func Main() {
	if code, ok := runAgent(os.Args); ok {
		os.Exit(code)
	}
}
