package journal_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/journal"
)

var seed = flag.Uint64("journal-seed", 1, "seed of the damage in TestDamageToOneFile")

// must returns a value, or ends the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// filled is a directory with three generations' worth of records, of which two are kept, and all that was written since
// the oldest snapshot that is kept.
func filled(t testing.TB, dir string) (fromNewest []string) {
	t.Helper()
	l, st, err := journal.Open(dir, 2)
	if err != nil || !st.Fresh {
		t.Fatalf("%+v, %v", st, err)
	}
	var all []string // the whole state: as if each record were a thing of its own
	for generation := range 3 {
		if err := l.Snapshot(func(yield func([]byte) bool) {
			for _, r := range all {
				if !yield([]byte(r)) {
					return
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		for batch := range 4 {
			var b [][]byte
			for i := range 1 + batch {
				r := fmt.Sprintf(`{"generation":%d,"batch":%d,"record":%d,"text":%q}`, generation, batch, i, strings.Repeat("x", 40*i))
				b, all = append(b, []byte(r)), append(all, r)
			}
			if err := l.Append(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

func reopen(dir string) ([]string, []string, error) {
	l, st, err := journal.Open(dir, 2)
	if err != nil {
		return nil, nil, err
	}
	var got []string
	for _, r := range st.Records {
		got = append(got, string(r))
	}
	return got, st.Notes, l.Close()
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := filled(t, dir)
	got, notes, err := reopen(dir)
	if err != nil || len(notes) > 0 || !slices.Equal(got, want) {
		t.Errorf("%q, %v\n got %q\nwant %q", notes, err, got, want)
	}
	names := must(filepath.Glob(filepath.Join(dir, "*")))(t)
	if len(names) != 6 {
		t.Errorf("files: %q", names)
	}
}

// TestDamageToOneFile spoils one file at a time, in every way: nothing is lost, and the file is named.
func TestDamageToOneFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := filled(t, dir)
	random := rand.New(rand.NewPCG(*seed, 0))
	for _, name := range must(filepath.Glob(filepath.Join(dir, "*")))(t) {
		whole := must(os.ReadFile(name))(t)
		for i := range 800 {
			spoilt, how := spoil(random, whole, i)
			if err := os.WriteFile(name, spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
			got, notes, err := reopen(dir)
			switch {
			case err != nil && how == "newer" && errors.Is(err, journal.ErrNewer) && strings.Contains(err.Error(), name):
			case err != nil || !slices.Equal(got, want):
				t.Fatalf("-journal-seed %d: %s %s: %d of %d records, %q, %v", *seed, how, filepath.Base(name), len(got), len(want), notes, err)
			case len(notes) > 0 && !strings.Contains(strings.Join(notes, " "), name):
				t.Errorf("%s %s: %q", how, name, notes)
			case how == "flipped" && strings.Contains(name, "00000003") && len(notes) == 0:
				t.Errorf("%s %s: nobody noticed", how, name)
			}
		}
		if err := os.WriteFile(name, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// spoil damages a file.
func spoil(random *rand.Rand, data []byte, i int) ([]byte, string) {
	data = slices.Clone(data)
	at := random.IntN(len(data))
	switch i % 8 {
	case 0:
		return data[:at], "truncated"
	case 1:
		data[at] ^= 1 << random.IntN(8)
		if at == len(data)-1 {
			return data, "the end flipped" // what a crash can leave
		}
		return data, "flipped"
	case 2:
		clear(data[at:min(len(data), at+1+random.IntN(200))])
		return data, "zeroed"
	case 3:
		for j := range data[at:min(len(data), at+1+random.IntN(200))] {
			data[at+j] = byte(random.Uint32())
		}
		return data, "garbled"
	case 4:
		return nil, "emptied"
	case 5:
		return append(data[:at], data[min(len(data), at+random.IntN(100)):]...), "cut"
	case 6:
		return bytes.Repeat([]byte{byte(i)}, random.IntN(3000)), "replaced"
	}
	text := fmt.Sprintf("azlin-state snapshot %d 3", 3+random.IntN(5))
	sum := crc32.Update(crc32.Checksum(make([]byte, 8), crc32.MakeTable(crc32.Castagnoli)), crc32.MakeTable(crc32.Castagnoli), []byte(text))
	return fmt.Appendf(nil, "%08x %s\n", sum, text), "newer"
}

// TestDamageToBothCopies is told, and the files stay.
func TestDamageToBothCopies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	filled(t, dir)
	for _, suffix := range []string{"journal", "journal-copy"} {
		name := filepath.Join(dir, "00000003."+suffix)
		data := must(os.ReadFile(name))(t)
		data[len(data)/2] ^= 1
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := reopen(dir)
	if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "00000003.journal-copy: line ") {
		t.Errorf("%v", err)
	}
	if names := must(filepath.Glob(filepath.Join(dir, "*")))(t); len(names) != 6 {
		t.Errorf("files: %q", names)
	}
}

// TestPowerCut ends both copies of the journal anywhere, as a crash while they are written does: what was there before
// stays, and the log goes on.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := filled(t, dir)
	name := filepath.Join(dir, "00000003.journal")
	whole := must(os.ReadFile(name))(t)
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := last; cut < len(whole); cut++ {
		for _, n := range []string{name, name + "-copy"} {
			if err := os.WriteFile(n, whole[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, notes, err := reopen(dir)
		if err != nil || len(notes) > 0 || !slices.Equal(got, want[:len(want)-1]) {
			t.Fatalf("cut at %d: %q, %v, %d records of %d", cut, notes, err, len(got), len(want))
		}
	}
	l, _, err := journal.Open(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append([][]byte{[]byte("{}")}); err == nil {
		t.Error("appended to a journal that may end in half a line")
	}
}

func FuzzParse(f *testing.F) {
	dir := f.TempDir()
	filled(f, dir)
	for _, name := range []string{"00000003.snapshot", "00000003.journal"} {
		f.Add(must(os.ReadFile(filepath.Join(dir, name)))(f))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		for _, suffix := range []string{"snapshot", "journal", "journal-copy"} {
			if err := os.WriteFile(filepath.Join(dir, "00000001."+suffix), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, _, err := reopen(dir)
		if err != nil && !errors.Is(err, journal.ErrDamaged) && !errors.Is(err, journal.ErrNewer) {
			t.Error(err)
		}
		for _, r := range got {
			if !bytes.Contains(data, []byte(r)) {
				t.Errorf("a record from nowhere: %q", r)
			}
		}
	})
}
