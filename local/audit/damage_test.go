package audit_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/internal/damage"
	"github.com/azlin-dev/azlin/local/audit"
)

// TestDamagedLog spoils the log, or the note of where it ends, a thousand times: a log that is not what was written is never
// called whole, and a change is recorded behind what is left, or the file that is damaged is named.
func TestDamagedLog(t *testing.T) {
	t.Parallel()
	l := newLog(t, 20)
	files := []string{l.Path(), l.Path() + ".head"}
	whole := make([][]byte, len(files))
	for n, f := range files {
		var err error
		if whole[n], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(12, 0))
	for i := range 1000 {
		n := i % 2
		spoilt, how := damage.Spoil(random, whole[n], i/2)
		for k, f := range files {
			data := whole[k]
			if k == n {
				data = spoilt
			}
			if err := os.WriteFile(f, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if rep, err := l.Verify(t.Context()); n == 0 && string(spoilt) != string(whole[0]) && err == nil && rep.OK() {
			t.Fatalf("the log was %s, and is called whole: %+v", how, rep)
		}
		if err := l.Append(t.Context(), record(59)); err != nil {
			if !strings.Contains(err.Error(), files[n]) || !strings.Contains(err.Error(), "move it away") {
				t.Fatalf("%s was %s: %v", files[n], how, err)
			}
			continue
		}
		written, err := os.ReadFile(l.Path())
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimSpace(written), []byte("\n"))
		if r, err := audit.Parse(lines[len(lines)-1]); err != nil || r.Time.Second() != 59 {
			t.Fatalf("%s was %s: the last record is %+v, %v", files[n], how, r, err)
		}
	}
}
