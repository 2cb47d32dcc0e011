package notify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/local/notify"
)

// program writes a script that notes its arguments, and returns its path and that of the notes.
func program(t *testing.T, more string) (path, notes string) {
	t.Helper()
	dir := t.TempDir()
	path, notes = filepath.Join(dir, "tell"), filepath.Join(dir, "notes")
	script := "#!/bin/sh\nfor a; do echo \"[$a]\"; done >" + notes + "\n" + more
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path, notes
}

func TestCommandGetsTheMessageAsOneArgument(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"VM dev is ready":       "[--to]\n[me]\n[VM dev is ready]\n",
		"$(touch x); `id` 'q\"": "[--to]\n[me]\n[$(touch x); `id` 'q\"]\n",
		"--delete-everything":   "[--to]\n[me]\n[ --delete-everything]\n",
	} {
		path, notes := program(t, "")
		n := notify.New(notify.Config{Command: path + " --to me", Headless: true})
		r := n.Send(t.Context(), message, "")
		if !r.Success || r.Channel != notify.Command || r.Err != nil {
			t.Errorf("got %+v", r)
		}
		if got, err := os.ReadFile(notes); err != nil || string(got) != want {
			t.Errorf("the command got %s, %v", got, err)
		}
	}
}

func TestNothingMakesTheJobFailOrWait(t *testing.T) {
	t.Parallel()
	failing, _ := program(t, "echo no route >&2; exit 3")
	hanging, _ := program(t, "exec sleep 60")
	for name, c := range map[string]notify.Config{
		"a program that is not there": {Command: "no-such-program", Headless: true},
		"a program that fails":        {Command: failing, Headless: true},
		"a program that hangs":        {Command: hanging, Headless: true, Timeout: 200 * time.Millisecond},
		"off":                         {Channels: []notify.Channel{notify.Off, notify.Command}, Command: failing},
		"a webhook without address":   {Channels: []notify.Channel{notify.Webhook}},
		"an unknown channel":          {Channels: []notify.Channel{"pigeon"}},
	} {
		began := time.Now()
		r := notify.New(c).Send(t.Context(), "x", "")
		if r.Success || r.Err == nil {
			t.Errorf("%s: got %+v", name, r)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
	if n := notify.New(notify.Config{Command: "no-such-program", Headless: true}); n.IsAvailable() || n.Notify(t.Context(), "x") {
		t.Error("nothing is available, and yet it is")
	}
	if !errors.Is(notify.New(notify.Config{Headless: true, Command: "no-such-program"}).Send(t.Context(), "x", "").Err, notify.ErrUnavailable) {
		t.Error("the reason is not ErrUnavailable")
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	var got map[string]string
	answer := http.StatusOK
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(answer)
	}))
	t.Cleanup(server.Close)
	n := notify.New(notify.Config{Channels: []notify.Channel{notify.Webhook}, URL: server.URL + "/secret-token", HTTP: server.Client()})
	if !n.NotifyCompletion(t.Context(), "dev", "192.0.2.1") || got["text"] != "VM dev is ready at 192.0.2.1" || got["title"] != "azlin - VM ready" {
		t.Errorf("sent %v", got)
	}
	if !n.NotifyError(t.Context(), "no quota") || got["text"] != "no quota" {
		t.Errorf("sent %v", got)
	}
	answer = http.StatusForbidden
	if r := n.Send(t.Context(), "x", ""); r.Success || !strings.Contains(r.Err.Error(), "403") || strings.Contains(r.Err.Error(), "secret-token") {
		t.Errorf("got %+v", r)
	}
	server.Close()
	if r := n.Send(t.Context(), "x", ""); r.Success || strings.Contains(r.Err.Error(), "secret-token") {
		t.Errorf("got %+v", r)
	}
	plain := notify.New(notify.Config{Channels: []notify.Channel{notify.Webhook}, URL: "http://example.org/x"})
	if r := plain.Send(t.Context(), "x", ""); r.Success || !strings.Contains(r.Err.Error(), "https") {
		t.Errorf("a webhook without TLS: %+v", r)
	}
}

// TestNextChannel: one that cannot be used is passed over, one that fails gives way to the next.
func TestNextChannel(t *testing.T) {
	t.Parallel()
	failing, _ := program(t, "exit 1")
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	for _, command := range []string{failing, "no-such-program"} {
		n := notify.New(notify.Config{Command: command, Channels: []notify.Channel{notify.Command, notify.Webhook}, URL: server.URL})
		if r := n.Send(t.Context(), "x", ""); !r.Success || r.Channel != notify.Webhook {
			t.Errorf("%s: got %+v", command, r)
		}
	}
}

// Example is the reference's.
func Example() {
	n := notify.New(notify.Config{Command: "true", Headless: true})
	if !n.IsAvailable() {
		fmt.Println("Notifications not available")
		return
	}
	ctx, cancel := exampleContext()
	defer cancel()
	fmt.Println(n.Notify(ctx, "VM provisioning started"))
	fmt.Println(n.NotifyCompletion(ctx, "my-vm", "20.12.34.56"))
	result := n.Send(ctx, "VM is ready", "azlin - VM Ready")
	fmt.Println("Notification sent:", result.Success, result.Channel)
	// Output:
	// true
	// true
	// Notification sent: true command
}
