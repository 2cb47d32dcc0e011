package emulator_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator"
)

var (
	stateSeed  = flag.Uint64("state-seed", 1, "seed of the damage in TestDamagedState")
	stateTimes = flag.Int("state-times", 300, "how often TestDamagedState spoils a file")
)

// spoilt is data with some damage to it.
func spoilt(random *rand.Rand, data []byte, kind int) []byte {
	data = slices.Clone(data)
	if len(data) == 0 {
		return []byte{0}
	}
	at := random.IntN(len(data))
	end := min(len(data), at+1+random.IntN(300))
	switch kind % 6 {
	case 0:
		return data[:at]
	case 1:
		data[at] ^= 1 << random.IntN(8)
	case 2:
		clear(data[at:end])
	case 3:
		for i := at; i < end; i++ {
			data[i] = byte(random.Uint32())
		}
	case 4:
		return slices.Delete(data, at, end)
	case 5:
		return bytes.Repeat([]byte{byte(random.Uint32())}, random.IntN(2000))
	}
	return data
}

// TestDamagedState spoils one of the emulator's state files at a time: no VM is lost, the secrets are the same, and what
// was damaged is mended.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	master := t.TempDir()
	e, err := emulator.New(emulator.Options{Dir: master})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Seed(emulator.SeedOptions{VMs: 3}); err != nil {
		t.Fatal(err)
	}
	want := e.Identity()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, err = emulator.New(emulator.Options{Dir: master})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Seed(emulator.SeedOptions{VMs: 5}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(master, "state", "*"))
	if err != nil || len(names) != 6 {
		t.Fatalf("%q, %v", names, err)
	}
	for _, name := range []string{"keys.json", "keys-copy.json", "client-secret"} {
		names = append(names, filepath.Join(master, name))
	}
	random := rand.New(rand.NewPCG(*stateSeed, 0))
	for i := range *stateTimes {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(master)); err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(master, names[i%len(names)])
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, rel)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, spoilt(random, data, i/len(names)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, again := range []string{"", ", opened again"} {
			what := fmt.Sprintf("-state-seed %d: damage %d to %s%s", *stateSeed, i, rel, again)
			e, err := emulator.New(emulator.Options{Dir: dir})
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			c := e.Counts().Resources
			for _, typ := range []string{"Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks", "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"} {
				if c[typ] != 5 {
					t.Fatalf("%s: %d of %s", what, c[typ], typ)
				}
			}
			if len(e.PowerHistory("")) != 5 || e.Identity() != want {
				t.Fatalf("%s: %d histories, %t", what, len(e.PowerHistory("")), e.Identity() == want)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if secret, err := os.ReadFile(filepath.Join(dir, "client-secret")); err != nil || string(secret) != want.ClientSecret {
			t.Fatalf("damage %d to %s: the secret's file holds %q, %v", i, rel, secret, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStateOfOtherVersions reads the state of the first version, and refuses a newer one by name.
func TestStateOfOtherVersions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const first = `{"version":1,"clock_offset":3600000000000,"resources":[{"id":"/subscriptions/2f4c9b1a-8d3e-4a57-b6f0-3c5d7e9a1b24/resourceGroups/old","type":"Microsoft.Resources/resourceGroups","body":{"name":"old","location":"westus2","properties":{"provisioningState":"Succeeded"}},"created":"2026-01-01T00:00:00Z","changed":"2026-01-01T00:00:00Z"}],"operations":[]}`
	if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		e, err := emulator.New(emulator.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if c := e.Counts().Resources; c["Microsoft.Resources/resourceGroups"] != 1 || e.Clock().Ahead.Hours() != 1 {
			t.Errorf("%v, %+v", c, e.Clock())
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"state.json": `{"version":7}`, "keys.json": `{"version":7}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := emulator.New(emulator.Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, name)) || !strings.Contains(err.Error(), "version") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
