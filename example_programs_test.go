package azlin_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// opened opens a client of the emulator, with VMs of these names. The context of the programs is the background's.
func opened(names ...string) (context.Context, *workplace, func()) {
	w := open()
	for _, name := range names {
		w.launch(name)
	}
	return context.Background(), w, w.stop
}

// A program opens the context that the command would work on, with this person's files and sign-in; nothing is sent yet.
func ExampleClient_open() {
	ctx, mine, stop := filesOfEmulator()
	defer stop()

	client, err := azlin.OpenContext(ctx, mine) // azlin.ContextOptions{} for your own files
	check(err)
	fmt.Println(client.Azure.Target().Cloud.Name, client.Azure.Requests())
	// Output: emulator 0
}

// Create a VM that is ready to be worked on.
func ExampleClient_create() {
	ctx, client, stop := opened()
	defer stop()

	plan, err := client.Launcher.Plan(ctx, launch.Request{Config: provision.Config{Name: "dev"}}, nil)
	check(err)
	result, err := client.Launcher.Run(ctx, plan, nil)
	check(err)
	fmt.Println(result.VM.Name, "is", result.VM.PowerState)
	// Output: dev is running
}

// List the VMs of the resource group.
func ExampleClient_list() {
	ctx, client, stop := opened("dev", "test")
	defer stop()

	listing, err := client.VMs.List(ctx, vm.ListOptions{ResourceGroup: "azlin-rg"})
	check(err)
	for _, i := range listing.VMs {
		fmt.Println(i.Name, i.StatusDisplay(), i.VMSize)
	}
	// Unordered output:
	// dev Running Standard_B2s
	// test Running Standard_B2s
}

// Run a command on a VM.
func ExampleClient_exec() {
	ctx, client, stop := opened("dev")
	defer stop()

	result, err := client.Hosts.Execute(ctx, vm.Ref{Name: "dev"}, "hostname; exit 3", 0, reach.Options{})
	check(err)
	fmt.Printf("%q %d\n", result.Stdout, result.ExitCode)
	// Output: "dev\n" 3
}

// Delete a VM with everything that belongs to it.
func ExampleClient_kill() {
	ctx, client, stop := opened("dev")
	defer stop()

	summary, err := client.VMs.Delete(ctx, vm.Ref{Name: "dev"}, vm.DeleteOptions{})
	check(err)
	fmt.Println("deleted", summary.DeletedResources, "of", summary.TotalResources)
	// Output: deleted 5 of 5
}

// Create a pool of VMs.
func ExampleClient_pool() {
	ctx, client, stop := opened()
	defer stop()

	plan, err := client.Launcher.PlanPool(ctx, launch.Request{Config: provision.Config{Name: "ci"}}, 2, nil)
	check(err)
	pool, err := client.Launcher.RunPool(ctx, plan, nil)
	check(err)
	fmt.Println(pool.Successful[0].VM.Name, pool.Successful[1].VM.Name)
	// Output: ci-01 ci-02
}

// Connect to a VM, and connect again when the connection is lost. Without a command it is a tmux session.
func ExampleClient_connect() {
	ctx, client, stop := opened("dev")
	defer stop()

	session := remote.Interactive{Command: []string{"exit 3"}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	code, err := client.Hosts.Connect(ctx, vm.Ref{Name: "dev"}, session, reach.Options{})
	check(err)
	fmt.Println("ended with", code)
	// Output: ended with 3
}

// Replace the SSH key of a VM by a new one.
func ExampleClient_rotate() {
	ctx, client, stop := opened("dev")
	defer stop()

	result, err := client.Rotator.RotateKey(ctx, vm.Ref{Name: "dev"}, "", keys.Options{})
	check(err)
	fmt.Println(result.Added, result.Removed, result.OldKeyBackedUp)
	// Output: true true true
}

// Ask VMs how they are.
func ExampleClient_status() {
	ctx, client, stop := opened("dev")
	defer stop()

	report, err := client.Statuses.List(ctx, vm.ListOptions{}, status.Options{})
	check(err)
	for _, v := range report.VMs {
		fmt.Println(v.Name, v.Status, v.Uptime != nil, v.Err)
	}
	// Output: dev Running true <nil>
}

// Give a VM another size.
func ExampleClient_resize() {
	ctx, client, stop := opened("dev")
	defer stop()

	plan, err := client.Resizer.Plan(ctx, vm.Ref{Name: "dev"}, "Standard_B2ms")
	check(err)
	result, err := client.Resizer.Run(ctx, plan, nil)
	check(err)
	fmt.Println(result.From, "->", result.Size, result.After)
	// Output: Standard_B2s -> Standard_B2ms running
}

// maxProgram is how many lines a program may take after opening.
const maxProgram = 6

// TestProgramsAreShort counts the lines of the programs above after the two that open, and asserts that each has an output
// that is compared.
func TestProgramsAreShort(t *testing.T) {
	t.Parallel()
	missing := map[string]bool{
		"open": true, "create": true, "list": true, "exec": true, "kill": true, "pool": true, "connect": true, "rotate": true, "status": true, "resize": true,
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "example_programs_test.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range doc.Examples(file) {
		name := strings.TrimPrefix(e.Name, "Client_")
		delete(missing, name)
		block, ok := e.Code.(*ast.BlockStmt)
		if !ok || len(block.List) < 3 || e.Output == "" {
			t.Errorf("%s does nothing, or nothing that is compared", name)
			continue
		}
		body := block.List
		program := body[2:]
		if n := files.Position(program[len(program)-1].End()).Line - files.Position(program[0].Pos()).Line + 1; n > maxProgram {
			t.Errorf("%s takes %d lines after opening; at most %d", name, n, maxProgram)
		}
	}
	for name := range missing {
		t.Errorf("there is no program %s", name)
	}
}
