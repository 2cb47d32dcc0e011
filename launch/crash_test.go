package launch_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/vm"
)

// TestLaunchGoesOnAfterAnyKill kills a launch at sampled requests; the next one must end with exactly one
// VM, which shows the host key it was given, and nothing beside it. Package vm has the full enumeration
// for what it sends; this adds the host key and the operation's file.
func TestLaunchGoesOnAfterAnyKill(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	var counted local.Crash
	if _, err := run(t.Context(), c.open(t, "measure", counted.Through), c.request("measure")); err != nil {
		t.Fatal(err)
	}
	requests := counted.Seen()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d requests", seed, requests)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range 8 {
		n, after := 1+random.IntN(requests), i%2 == 0
		name := "vm" + strconv.Itoa(i)
		t.Run(strconv.Itoa(n)+strconv.FormatBool(after), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			crash := &local.Crash{N: n, After: after, Die: cancel}
			if _, err := run(ctx, c.open(t, name, crash.Through), c.request(name)); err == nil {
				t.Log("it was done before that request")
			} else if !errors.Is(err, local.ErrKilled) && !errors.Is(err, context.Canceled) {
				t.Fatalf("it was not killed: %v", err)
			}
			client := c.open(t, name, nil)
			got, err := run(t.Context(), client, c.request(name))
			if err != nil {
				match, rerr := client.VMs.Resolve(t.Context(), name, "g")
				if rerr != nil {
					t.Fatal(err, rerr)
				}
				t.Logf("the second run says %v", err) // it was finished, down to the answer
				if got, rerr := remote.Execute(t.Context(), hostOf(t, c, name, match.VM), "hostname", 20*time.Second); rerr != nil || got.Stdout != name+"\n" {
					t.Fatal(got, rerr)
				}
			} else if out, err := remote.Execute(t.Context(), got.Host, "hostname", 20*time.Second); err != nil || out.Stdout != name+"\n" {
				t.Fatal(out, err)
			}
			left, err := filepath.Glob(filepath.Join(c.Dir, name, "operations", "*.json"))
			if err != nil || len(left) > 1 {
				t.Errorf("operations are left: %v, %v", left, err)
			}
			sum, err := client.VMs.Delete(t.Context(), vm.Ref{ResourceGroup: "g", Name: name}, vm.DeleteOptions{})
			if err != nil || sum.Err() != nil || sum.DeletedResources != 5 {
				t.Errorf("deleted %d resources: %v %v", sum.DeletedResources, err, sum.Err())
			}
		})
	}
	client := c.open(t, "measure", nil)
	if sum, err := client.VMs.Delete(t.Context(), vm.Ref{ResourceGroup: "g", Name: "measure"}, vm.DeleteOptions{}); err != nil || sum.Err() != nil {
		t.Fatal(err, sum.Err())
	}
	for kind, n := range c.Emulator.Counts().Resources {
		if n > 0 && kind != "Microsoft.Resources/resourceGroups" && kind != "Microsoft.Network/virtualNetworks" {
			t.Errorf("%d of %s are left", n, kind)
		}
	}
}
