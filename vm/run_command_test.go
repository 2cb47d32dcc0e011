package vm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/test/wire"
	"github.com/azlin-dev/azlin/vm"
)

// TestRunCommand sends the real request; what the script would print is put in, since the VMs of this
// emulator have no hosts.
func TestRunCommand(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]vm.CommandOutput{
		"Enable succeeded: \n[stdout]\nhello\nworld\n\n[stderr]\noops\n": {Stdout: "hello\nworld\n", Stderr: "oops"},
		"Enable succeeded: \n[stdout]\n\n[stderr]\n":                     {},
		"[stdout]\nonly":  {Stdout: "only"},
		"no marks at all": {Stdout: "no marks at all"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := lab.New(t, emulator.Options{})
			fill(t, l, 1)
			var rec wire.Collected[audit.Record]
			s, _ := l.Open(func(o *azure.Options) {
				o.Audit = rec.Record
				o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, Afterwards: func(_ *http.Request, resp *http.Response) error {
					return replaceMessage(resp, message)
				}}}
			})
			got, err := s.RunCommand(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"}, "cat /etc/ssh/ssh_host_ed25519_key.pub")
			if err != nil || got != want {
				t.Errorf("%q: got %+v, want %+v (%v)", message, got, want, err)
			}
			if len(rec.List()) == 0 || rec.List()[0].Event != audit.Access {
				t.Errorf("records: %+v", rec.List())
			}
			for _, r := range rec.List() {
				if data, _ := json.Marshal(r); bytes.Contains(data, []byte("ssh_host")) {
					t.Errorf("the script is on record: %s", data)
				}
			}
			if _, err := s.RunCommand(t.Context(), vm.Ref{ResourceGroup: group, Name: "absent"}, "true"); errkind.Of(err) != errkind.NotFound {
				t.Errorf("absent: %v", err)
			}
		})
	}
}

// replaceMessage puts what a script printed into the answer that carries output.
func replaceMessage(resp *http.Response, message string) error {
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return err
	}
	data := body.Bytes()
	var out map[string]any
	if json.Unmarshal(data, &out) == nil {
		if list, ok := out["value"].([]any); ok && len(list) > 0 {
			if item, ok := list[0].(map[string]any); ok && item["message"] != nil {
				item["message"] = message
				out["value"] = list[:1]
				data, _ = json.Marshal(out)
			}
		}
	}
	resp.Body, resp.ContentLength = http.NoBody, int64(len(data))
	if len(data) > 0 {
		resp.Body = nopCloser{bytes.NewReader(data)}
	}
	return nil
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

func TestSerialLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		fill(t, l, 1)
		s, _ := l.Open()
		log, err := s.SerialLog(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"})
		t.Logf("%d bytes, %v", len(log), err)
		if err != nil && errkind.Of(err) != errkind.NotFound {
			t.Error(err)
		}
		if err != nil && strings.Contains(err.Error(), "sig=") {
			t.Errorf("a signature is in %v", err)
		}
		if _, err := s.SerialLog(t.Context(), vm.Ref{ResourceGroup: group, Name: "absent"}); errkind.Of(err) != errkind.NotFound {
			t.Errorf("absent: %v", err)
		}
	})
}

// TestTagsWithoutTheRight drives the fallback of MergeTags against the emulator's ETags.
func TestTagsWithoutTheRight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		fill(t, l, 1)
		other, _ := l.Open()
		raced := false
		s, c := l.Open(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, Afterwards: func(r *http.Request, resp *http.Response) error {
				if strings.Contains(r.URL.Path, "Microsoft.Resources/tags") {
					return local.Forbid(resp)
				}
				if r.Method == http.MethodGet && !raced { // somebody else writes between our GET and our PATCH
					raced = true
					return touch(r.Context(), l, other)
				}
				return nil
			}}}
		})
		i, err := other.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.MergeTags(t.Context(), i.ID, map[string]string{"mine": "1"}); err != nil {
			t.Fatal(err)
		}
		i, err = s.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-000"})
		if err != nil || i.Tags["mine"] != "1" || i.Tags["theirs"] != "1" || !i.Managed || !raced {
			t.Errorf("tags %v, %v", i.Tags, err)
		}
	})
}

func touch(ctx context.Context, l *lab.Lab, s *lab.Services) error {
	i, err := s.Get(ctx, vm.Ref{ResourceGroup: group, Name: "vm-000"})
	if err != nil {
		return err
	}
	_, c := l.Open()
	return c.MergeTags(ctx, i.ID, map[string]string{"theirs": "1"})
}
