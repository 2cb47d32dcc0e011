// Command azlin provisions, reaches, runs, watches, secures and pays for fleets of Ubuntu development
// VMs on Azure.
package main

import (
	"context"
	"os"

	"github.com/azlin-dev/azlin/cmd/azlin/cli"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/local/config"
)

func main() {
	emulator.HostMain() // returns unless this process is the inside of an emulated VM
	os.Exit(cli.Main(context.Background(), os.Args[1:], config.Environ(), cli.SystemStreams(config.Environ())))
}
