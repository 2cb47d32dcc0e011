package tunnel_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/azlin-dev/azlin/internal/damage"
	"github.com/azlin-dev/azlin/remote/tunnel"
)

// TestDamagedRecords spoils the record of an open tunnel a thousand times: its copy is shown, or the tunnel is named; the
// other one is always there, and both can be saved again.
func TestDamagedRecords(t *testing.T) {
	t.Parallel()
	s := tunnel.Store{Dir: t.TempDir()}
	claims := map[string]*tunnel.Claim{}
	for _, name := range []string{"bad", "good"} {
		c, err := s.Claim(name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Remove() }() // the directory goes anyway
		for range 2 {                     // the second leaves a copy
			if err := c.Save(tunnel.Record{Name: name, VM: "dev"}); err != nil {
				t.Fatal(err)
			}
		}
		claims[name] = c
	}
	file := filepath.Join(s.Dir, "bad", "tunnel.json")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(13, 0))
	for i := range 1000 {
		spoilt, how := damage.Spoil(random, whole, i)
		if err := os.WriteFile(file, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := s.List()
		shown := map[string]string{}
		for _, r := range l.Tunnels {
			shown[r.Name] = r.VM
		}
		if shown["good"] != "dev" || shown["bad"] != "dev" && err == nil {
			t.Fatalf("%s: %v, %v", how, shown, err)
		}
		if !bytes.Equal(spoilt, whole) && i%50 == 0 {
			if err := claims["bad"].Save(tunnel.Record{Name: "bad", VM: "dev"}); err != nil {
				t.Fatalf("%s: %v", how, err)
			}
		}
	}
}
