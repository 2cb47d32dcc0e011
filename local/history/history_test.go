package history_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/history"
)

// writerEnv makes this test binary one of the processes of TestTwentyProcesses.
const writerEnv = "HISTORY_TEST_WRITER"

func TestMain(m *testing.M) {
	if path, name, ok := strings.Cut(os.Getenv(writerEnv), "|"); ok {
		if err := writeMany(path, name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const perProcess = 10

func writeMany(path, name string) error {
	log := history.Log{Path: path}
	for n := range perProcess {
		id, err := log.Start(context.Background(), history.Connection{VM: fmt.Sprintf("%s-%d", name, n), Address: "127.77.0.1"})
		if err != nil {
			return err
		}
		if err := log.End(context.Background(), id, n, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

func newLog(t *testing.T) history.Log {
	t.Helper()
	return history.Log{Path: filepath.Join(t.TempDir(), "azlin", "connections.jsonl")}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	if _, ok, err := log.Last(); ok || err != nil {
		t.Errorf("an empty history has a last connection: %v, %v", ok, err)
	}
	began := time.Date(2026, 3, 4, 5, 6, 7, 890_000_000, time.FixedZone("", 3600))
	id, err := log.Start(t.Context(), history.Connection{VM: "dev", ResourceGroup: "team", Address: "203.0.113.7", Session: "work", Started: began})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Record(t.Context(), "other", "203.0.113.8", ""); err != nil {
		t.Fatal(err)
	}
	if err := log.End(t.Context(), id, 3, began.Add(90*time.Second)); err != nil {
		t.Fatal(err)
	}
	list, err := log.List()
	if err != nil || len(list) != 2 {
		t.Fatalf("got %v, %v", list, err)
	}
	ended, code := began.Add(90*time.Second).UTC(), 3
	want := history.Connection{
		ID: id, VM: "dev", ResourceGroup: "team", Address: "203.0.113.7", Session: "work",
		Started: began.UTC(), Ended: &ended, ExitCode: &code,
	}
	if diff := cmp.Diff(want, list[1]); diff != "" {
		t.Error(diff)
	}
	if d, ok := list[1].Duration(); !ok || d != 90*time.Second {
		t.Errorf("it lasted %v, %v", d, ok)
	}
	last, ok, err := log.Last()
	if err != nil || !ok || last.VM != "other" || last.ExitCode != nil || last.Ended != nil {
		t.Errorf("the last one is %+v, %v, %v", last, ok, err)
	}
	data, err := os.ReadFile(log.Path)
	if err != nil || !strings.Contains(string(data), `"2026-03-04T04:06:07.89Z"`) {
		t.Errorf("times are not RFC 3339 in UTC: %s, %v", data, err)
	}
	if info, err := os.Stat(log.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info, err)
	}
	if _, err := log.Start(t.Context(), history.Connection{}); !errors.Is(err, history.ErrHistory) || errkind.Of(err) != errkind.Invalid {
		t.Errorf("a connection to nothing: %v", err)
	}
}

func TestTornAndForeignLines(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	if err := log.Record(t.Context(), "a", "1.2.3.4", ""); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(log.Path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("[]\nnull\n{\"event\":\"end\",\"id\":\"x\"}\n" + strings.Repeat("x", 200_000) + "\n" + `{"event":"start","id":"torn","vm":"b","sta`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := log.Record(t.Context(), "c", "1.2.3.4", ""); err != nil {
		t.Fatal(err)
	}
	list, err := log.List()
	if err != nil || len(list) != 2 || list[0].VM != "c" || list[1].VM != "a" {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestSizeIsBounded(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	log.MaxBytes = 4096
	id, err := log.Start(t.Context(), history.Connection{VM: "first"})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if err := log.Record(t.Context(), fmt.Sprint("vm", n), "", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(log.Path + ".1"); err == nil {
			break
		}
	}
	if err := log.End(t.Context(), id, 0, time.Time{}); err != nil { // its start is in the older file
		t.Fatal(err)
	}
	list, err := log.List()
	if err != nil {
		t.Fatal(err)
	}
	if first := list[len(list)-1]; first.VM != "first" || first.ExitCode == nil {
		t.Errorf("got %+v", first)
	}
	for n := range 100 {
		if err := log.Record(t.Context(), fmt.Sprint("more", n), "", ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{log.Path, log.Path + ".1"} {
		if info, err := os.Stat(name); err != nil || info.Size() > log.MaxBytes {
			t.Errorf("%s: %v, %v", name, info.Size(), err)
		}
	}
	if last, _, err := log.Last(); err != nil || last.VM != "more99" {
		t.Errorf("the last is %+v, %v", last, err)
	}
}

func TestTwentyProcesses(t *testing.T) {
	t.Parallel()
	log := newLog(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const processes = 20
	failed := make(chan error, processes)
	for n := range processes {
		go func() {
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), writerEnv+"="+log.Path+"|"+fmt.Sprint("p", n))
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			failed <- err
		}()
	}
	for range processes {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	list, err := log.List()
	if err != nil || len(list) != processes*perProcess {
		t.Fatalf("%d connections, want %d, %v", len(list), processes*perProcess, err)
	}
	for _, c := range list {
		if c.ExitCode == nil || !strings.HasSuffix(c.VM, fmt.Sprintf("-%d", *c.ExitCode)) {
			t.Errorf("%s ended with %v", c.VM, c.ExitCode)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte(`{"event":"start","id":"1","vm":"a","started":"2026-01-01T00:00:00Z"}` + "\n" + `{"event":"end","id":"1","ended":"2026-01-01T00:00:01Z","exit_code":0}`))
	f.Add([]byte("\n\x00{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		log := history.Log{Path: filepath.Join(t.TempDir(), "c")}
		if err := os.WriteFile(log.Path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := log.List()
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Record(t.Context(), "added", "", ""); err != nil {
			t.Fatal(err)
		}
		after, err := log.List()
		if err != nil || len(after) < len(before)+1 {
			t.Errorf("%d connections became %d, %v", len(before), len(after), err)
		}
	})
}

func ExampleLog() {
	dir, err := os.MkdirTemp("", "history")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	log := history.Log{Path: filepath.Join(dir, "connections.jsonl")}
	if err := log.Record(context.Background(), "azlin-vm-123", "20.51.23.145", "my-dev-env"); err != nil {
		panic(err)
	}
	last, ok, err := log.Last()
	fmt.Println(last.VM, last.Address, last.Session, ok, err)
	// Output: azlin-vm-123 20.51.23.145 my-dev-env true <nil>
}
