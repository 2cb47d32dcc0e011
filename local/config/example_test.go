package config_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/azlin-dev/azlin/local/config"
)

// directory is where an example keeps its files.
func directory() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "azlin")
	if err != nil {
		panic(err)
	}
	return dir, func() { _ = os.RemoveAll(dir) } // nothing depends on it
}

func ExampleFile() {
	ctx := context.Background()
	dir, remove := directory()
	defer remove()
	file := config.File{Path: filepath.Join(dir, "config.toml")}

	c, err := file.Load()
	if err != nil {
		panic(err)
	}
	fmt.Println("default region:", c.Region())

	c.DefaultVMSize = "Standard_D4s_v3"
	if err := file.Save(ctx, c); err != nil {
		panic(err)
	}
	if err := file.SetSessionName(ctx, "azlin-vm-123", "my-dev-env"); err != nil {
		panic(err)
	}
	text, err := file.Read()
	if err != nil {
		panic(err)
	}
	fmt.Print(string(text))
	// Output:
	// default region: westus2
	// default_vm_size = "Standard_D4s_v3"
	//
	// [session_names]
	// azlin-vm-123 = "my-dev-env"
}

func ExampleContextFile() {
	ctx := context.Background()
	dir, remove := directory()
	defer remove()
	contexts := config.ContextFile{Path: filepath.Join(dir, "contexts.toml")}

	for _, c := range []config.Context{
		{
			Name: "dev", Description: "Development environment",
			SubscriptionID: "11111111-1111-1111-1111-111111111111", TenantID: "22222222-2222-2222-2222-222222222222",
		},
		{
			Name: "prod", Description: "Production environment", Protected: true,
			SubscriptionID: "33333333-3333-3333-3333-333333333333", TenantID: "44444444-4444-4444-4444-444444444444",
		},
	} {
		if err := contexts.Create(ctx, c); err != nil {
			panic(err)
		}
	}
	if err := contexts.Use(ctx, "dev"); err != nil {
		panic(err)
	}
	all, err := contexts.Load()
	if err != nil {
		panic(err)
	}
	for _, c := range all.List() {
		current := ""
		if c.Name == all.Current {
			current = " (current)"
		}
		fmt.Printf("%s: %s%s\n", c.Name, c.Description, current)
	}
	current, _, err := all.Active()
	if err != nil {
		panic(err)
	}
	fmt.Println("current subscription:", current.SubscriptionID)
	// Output:
	// dev: Development environment (current)
	// emulator: a local Azure on this machine
	// prod: Production environment
	// current subscription: 11111111-1111-1111-1111-111111111111
}

func ExampleResolve() {
	ctx := context.Background()
	dir, remove := directory()
	defer remove()
	env := config.Environment{Context: "dev"}
	contexts := config.ContextFile{Path: filepath.Join(dir, "contexts.toml")}
	if err := contexts.Create(ctx, config.Context{Name: "dev"}); err != nil {
		panic(err)
	}
	if err := contexts.SetSubscription(ctx, env, "12345678-1234-1234-1234-123456789012"); err != nil {
		panic(err)
	}
	all, err := contexts.Load()
	if err != nil {
		panic(err)
	}
	r, err := config.Resolve(config.Flags{}, env, all, config.Config{})
	if err != nil {
		panic(err)
	}
	fmt.Println("subscription:", r.SubscriptionID.Text(), "from the", r.SubscriptionID.Origin)
	fmt.Println("region:", r.Region.Text(), "by", r.Region.Origin)
	// Output:
	// subscription: 12345678-1234-1234-1234-123456789012 from the context
	// region: westus2 by default
}
