package history_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/internal/damage"
	"github.com/azlin-dev/azlin/local/history"
)

// TestDamagedHistory spoils the file a thousand times: the list is what can still be read, and what comes after that is
// kept. No connection is refused for its history.
func TestDamagedHistory(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	for n := range 20 {
		id, err := log.Start(t.Context(), history.Connection{VM: "vm", Address: "127.77.0.1", Session: "main"})
		if err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			if err := log.End(t.Context(), id, n, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	whole, err := os.ReadFile(log.Path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(11, 0))
	for i := range 1000 {
		spoilt, how := damage.Spoil(random, whole, i)
		if err := os.WriteFile(log.Path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := log.List()
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		if err := log.Record(t.Context(), "after", "127.77.0.2", ""); err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		after, err := log.List()
		if err != nil || len(after) != len(before)+1 {
			t.Fatalf("%s: %d connections, then %d, %v", how, len(before), len(after), err)
		}
	}
}
