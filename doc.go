// Package azlin provisions, reaches and runs Ubuntu development VMs on Azure.
//
// Open wires the services of one subscription; each is a package of its own that can be used alone:
//
//	client.VMs       vm      list, get, provision, power and delete VMs
//	client.Launcher  launch  from a name to a VM that is ready to be worked on
//	client.Reach     reach   from a VM to a host with a verified key, for package remote
//	client.Azure     azure   the door to Azure that all of them use
//
// Errors carry an errkind.Kind. Nothing here prints, prompts or reads the environment; the azlin
// command, in cmd/azlin, does.
package azlin
