package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/local/audit"
)

func record(i int) audit.Record {
	return audit.Record{
		Time: time.Date(2026, 11, 22, 12, 0, i, 0, time.UTC), Event: audit.Create, Status: audit.Succeeded,
		Method: "PUT", Resource: "/subscriptions/s/resourceGroups/g", User: "ann",
	}
}

func newLog(t *testing.T, n int) *audit.Log {
	t.Helper()
	l := audit.Open(filepath.Join(t.TempDir(), "audit", "audit.jsonl"))
	for i := range n {
		if err := l.Append(t.Context(), record(i)); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func verify(t *testing.T, l *audit.Log) audit.Report {
	t.Helper()
	rep, err := l.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestAppendAndRead(t *testing.T) {
	t.Parallel()
	l := newLog(t, 3)
	var got []audit.Record
	if err := l.Read(func(r audit.Record) error { got = append(got, r); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[2].Time.Second() != 2 || got[0].User != "ann" {
		t.Fatalf("read back %+v", got)
	}
	if got[0].Previous == got[1].Previous {
		t.Error("records are not chained")
	}
	if rep := verify(t, l); !rep.OK() || rep.Records != 3 {
		t.Errorf("verify: %+v", rep)
	}
	if runtime.GOOS != "windows" {
		for _, name := range []string{l.Path(), l.Path() + ".head"} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %o", name, info.Mode().Perm())
			}
		}
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	split := func(data []byte) [][]byte { return bytes.SplitAfter(data, []byte("\n")) }
	join := func(lines ...[]byte) []byte { return bytes.Join(lines, nil) }
	for _, tc := range []struct {
		name   string
		edit   func(data []byte) []byte
		broken int
	}{
		{"edited line", func(d []byte) []byte { return bytes.Replace(d, []byte("ann"), []byte("bob"), 1) }, 2},
		{"removed first line", func(d []byte) []byte { l := split(d); return join(l[1:]...) }, 1},
		{"removed middle line", func(d []byte) []byte { l := split(d); return join(append(l[:1:1], l[2:]...)...) }, 2},
		{"swapped lines", func(d []byte) []byte { l := split(d); return join(l[0], l[2], l[1], l[3]) }, 2},
		{"cut tail", func(d []byte) []byte { l := split(d); return join(l[:2]...) }, 3},
		{"emptied", func([]byte) []byte { return nil }, 1},
		{"edited last line", func(d []byte) []byte {
			i := bytes.LastIndex(d, []byte("ann"))
			return append(append(d[:i:i], "bob"...), d[i+3:]...)
		}, 4},
		{"not JSON", func(d []byte) []byte { l := split(d); return join(l[0], []byte("hello\n"), l[2], l[3]) }, 2},
		{"torn last line", func(d []byte) []byte { return d[:len(d)-5] }, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLog(t, 4)
			data, err := os.ReadFile(l.Path())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(l.Path(), tc.edit(data), 0o600); err != nil {
				t.Fatal(err)
			}
			rep := verify(t, l)
			if rep.Broken != tc.broken || rep.Reason == "" {
				t.Errorf("got %+v, want line %d", rep, tc.broken)
			}
			// One more record must not hide it.
			if err := l.Append(t.Context(), record(9)); err != nil {
				t.Fatal(err)
			}
			if rep := verify(t, l); rep.OK() {
				t.Error("an append hid the damage")
			}
		})
	}
}

func TestAppendAfterCrash(t *testing.T) {
	t.Parallel()
	t.Run("between line and head", func(t *testing.T) {
		t.Parallel()
		l := newLog(t, 2)
		head, err := os.ReadFile(l.Path() + ".head")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Append(t.Context(), record(2)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(l.Path()+".head", head, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.Append(t.Context(), record(3)); err != nil {
			t.Fatal(err)
		}
		if rep := verify(t, l); !rep.OK() || rep.Records != 4 {
			t.Errorf("verify: %+v", rep)
		}
	})
	t.Run("within a line", func(t *testing.T) {
		t.Parallel()
		l := newLog(t, 2)
		f, err := os.OpenFile(l.Path(), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(`{"time":"2026`); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.Append(t.Context(), record(3)); err != nil {
			t.Fatal(err)
		}
		if rep := verify(t, l); !rep.OK() || rep.Records != 3 {
			t.Errorf("verify: %+v", rep)
		}
	})
}

func TestConcurrentAppend(t *testing.T) {
	t.Parallel()
	l := newLog(t, 0)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			other := audit.Open(l.Path()) // as another process would
			for j := range 5 {
				if err := other.Append(t.Context(), record(10*i+j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if rep := verify(t, l); !rep.OK() || rep.Records != 40 {
		t.Errorf("verify: %+v", rep)
	}
}

func TestAbsentLog(t *testing.T) {
	t.Parallel()
	l := audit.Open(filepath.Join(t.TempDir(), "none", "audit.jsonl"))
	if rep := verify(t, l); !rep.OK() || rep.Records != 0 {
		t.Errorf("verify: %+v", rep)
	}
	if err := l.Append(t.Context(), audit.Record{}); err == nil {
		t.Error("a record without event was accepted")
	}
}

func FuzzParse(f *testing.F) {
	line, _ := json.Marshal(audit.Record{
		Time: time.Unix(0, 0), Event: audit.Delete, Status: audit.Failed, Previous: strings.Repeat("0", 64),
	})
	f.Add(line)
	f.Add([]byte(`{}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := audit.Parse(data)
		if err != nil {
			if !errors.Is(err, audit.ErrMalformed) {
				t.Errorf("unexpected error class: %v", err)
			}
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Skip() // a year that JSON cannot write
		}
		back, err := audit.Parse(again)
		if err != nil {
			t.Fatalf("%s does not parse back: %v", again, err)
		}
		if !back.Time.Equal(r.Time) || back.Previous != r.Previous {
			t.Errorf("changed on the way: %+v -> %+v", r, back)
		}
	})
}
