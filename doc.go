// Package azlin provisions, reaches and runs Ubuntu development VMs on Azure.
//
// Open wires the services of one subscription; each is a package of its own that can be used alone:
//
//	client.VMs       vm             list, get, power, tag and delete VMs
//	client.Launcher  launch         from a name to a VM that is ready for work
//	client.Hosts     reach          run a command on a VM, connect to it; hosts with a verified key, for package remote
//	client.Statuses  health/status  how VMs are
//	client.Azure     azure          the access to Azure that all of them use
//
// Client lists the others. A VM is named by a vm.Ref; every report or progress may be nil; a run with failures returns both
// a result and an error.
//
// Errors carry an errkind.Kind. Nothing here prints, prompts or reads the environment; the azlin command, in cmd/azlin,
// does.
package azlin
