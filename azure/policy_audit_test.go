package azure_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/test/wire"
)

func recorder(c *wire.Collected[audit.Record]) func(*azure.Options) {
	return func(o *azure.Options) {
		o.Audit = func(r audit.Record) error { c.Add(r); return nil }
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	const base = "/subscriptions/" + wire.Subscription + "/resourceGroups/g/providers/"
	for _, tc := range []struct {
		method, path string
		status       int
		want         string // event status, once before and once after; empty: not recorded
		operation    string
	}{
		{"GET", base + "Microsoft.Compute/virtualMachines/v", 200, "", ""},
		{"HEAD", "/subscriptions/" + wire.Subscription + "/resourcegroups/g", 204, "", ""},
		{"POST", "/providers/Microsoft.ResourceGraph/resources", 200, "", ""},
		{"POST", "/subscriptions/s/providers/Microsoft.CostManagement/query", 200, "", ""},
		{"PUT", base + "Microsoft.Compute/virtualMachines/v", 201, "create started, create succeeded", "Microsoft.Compute/virtualMachines/write"},
		{"PUT", base + "Microsoft.Compute/virtualMachines/v", 200, "create started, update succeeded", "Microsoft.Compute/virtualMachines/write"},
		{"PATCH", base + "Microsoft.Compute/virtualMachines/v", 200, "update started, update succeeded", "Microsoft.Compute/virtualMachines/write"},
		{"DELETE", base + "Microsoft.Compute/disks/d", 202, "delete started, delete accepted", "Microsoft.Compute/disks/delete"},
		{"DELETE", base + "Microsoft.Compute/disks/d", 409, "delete started, delete failed", "Microsoft.Compute/disks/delete"},
		{"POST", base + "Microsoft.Compute/virtualMachines/v/deallocate", 202, "power started, power accepted", "Microsoft.Compute/virtualMachines/deallocate/action"},
		{"POST", base + "Microsoft.Compute/virtualMachines/v/runCommand", 202, "access started, access accepted", "Microsoft.Compute/virtualMachines/runCommand/action"},
		{"PUT", base + "Microsoft.Network/networkSecurityGroups/n/securityRules/r", 200, "network started, network succeeded", "Microsoft.Network/networkSecurityGroups/securityRules/write"},
		{"PUT", base + "Microsoft.Compute/virtualMachines/v/extensions/enablevmaccess", 201, "key started, key succeeded", "Microsoft.Compute/virtualMachines/extensions/write"},
	} {
		t.Run(fmt.Sprintf("%s %s %d", tc.method, tc.path[strings.LastIndex(tc.path, "/"):], tc.status), func(t *testing.T) {
			t.Parallel()
			var got wire.Collected[audit.Record]
			c := open(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("x-ms-correlation-request-id", "corr")
				if tc.status >= 400 {
					wire.Refuse(w, tc.status, "ScopeLocked", "locked")
					return
				}
				w.WriteHeader(tc.status)
			}, recorder(&got))
			_, _ = c.Do(t.Context(), tc.method, tc.path, "1", nil)
			var events []string
			for _, r := range got.List() {
				events = append(events, fmt.Sprintf("%s %s", r.Event, r.Status))
			}
			if diff := cmp.Diff(tc.want, strings.Join(events, ", ")); diff != "" {
				t.Fatal(diff)
			}
			if tc.want == "" {
				return
			}
			first, last := got.List()[0], got.List()[1]
			if first.RequestID == "" || first.RequestID != last.RequestID {
				t.Errorf("the two records cannot be joined: %q, %q", first.RequestID, last.RequestID)
			}
			if last.CorrelationID != "corr" || last.Subscription != wire.Subscription || last.Operation != tc.operation || last.Method != tc.method {
				t.Errorf("record: %+v", last)
			}
			if (last.Status == audit.Failed) != (last.Code == "ScopeLocked") {
				t.Errorf("code %q with status %s", last.Code, last.Status)
			}
		})
	}
}

// TestAuditNamesOpenDoors: a rule that admits everyone is on record as that, however the group or rule is written.
func TestAuditNamesOpenDoors(t *testing.T) {
	t.Parallel()
	const group = "/subscriptions/" + wire.Subscription + "/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/n"
	rule := func(edits ...string) string {
		return strings.NewReplacer(edits...).Replace(`{"properties":{"access":"Allow","direction":"Inbound","sourceAddressPrefixes":["SOURCE"]}}`)
	}
	for name, tc := range map[string]struct {
		path, body string
		open       bool
	}{
		"rule":         {group + "/securityRules/r", rule("SOURCE", "0.0.0.0/0"), true},
		"IPv6":         {group + "/securityRules/r", rule("SOURCE", "::/0"), true},
		"one prefix":   {group + "/securityRules/r", rule("Prefixes", "Prefix", `["SOURCE"]`, `"*"`), true},
		"group":        {group, `{"properties":{"securityRules":[` + rule("SOURCE", "203.0.113.7/32") + "," + rule("SOURCE", "internet") + `]}}`, true},
		"own address":  {group, `{"properties":{"securityRules":[` + rule("SOURCE", "203.0.113.7/32") + `]}}`, false},
		"refusal":      {group + "/securityRules/r", rule("SOURCE", "*", "Allow", "Deny"), false},
		"way out":      {group + "/securityRules/r", rule("SOURCE", "*", "Inbound", "Outbound"), false},
		"another type": {nicPath, rule("SOURCE", "*"), false},
	} {
		var got wire.Collected[audit.Record]
		var sent string
		c := open(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent = string(body)
			wire.Reply(w, 200, `{}`)
		}, recorder(&got))
		if _, err := c.Do(t.Context(), http.MethodPut, tc.path, "1", json.RawMessage(tc.body)); err != nil {
			t.Fatal(err)
		}
		if sent != tc.body {
			t.Errorf("%s: sent %q", name, sent)
		}
		for _, r := range got.List() {
			if (r.Detail != "") != tc.open {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

func TestAuditOncePerCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got wire.Collected[audit.Record]
		n := 0
		c := open(t, func(w http.ResponseWriter, _ *http.Request) {
			switch n++; n {
			case 1:
				wire.Refuse(w, 503, "ServerBusy", "later")
			case 2:
				wire.Refuse(w, 409, "RetryableError", "later")
			default:
				wire.Reply(w, 200, `{}`)
			}
		}, recorder(&got))
		if _, err := c.Do(t.Context(), http.MethodPut, nicPath, "1", nil); err != nil {
			t.Fatal(err)
		}
		if len(got.List()) != 2 || c.Requests() != 3 {
			t.Errorf("%d records of %d requests", len(got.List()), c.Requests())
		}
	})
}

func TestNothingIsSentUnrecorded(t *testing.T) {
	t.Parallel()
	c := open(t, func(w http.ResponseWriter, _ *http.Request) { wire.Reply(w, 200, `{}`) }, func(o *azure.Options) {
		o.Audit = func(audit.Record) error { return errors.New("disk full") }
	})
	_, err := c.Do(t.Context(), http.MethodPut, nicPath, "1", nil)
	if errkind.Of(err) != errkind.Prerequisite || !strings.Contains(err.Error(), "disk full") || c.Requests() != 0 {
		t.Errorf("%v, %d requests", err, c.Requests())
	}
	if _, err := c.Do(t.Context(), http.MethodGet, nicPath, "1", nil); err != nil {
		t.Errorf("reading needs no record: %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	c := open(t, func(w http.ResponseWriter, _ *http.Request) { wire.Reply(w, 200, `{}`) }, func(o *azure.Options) { o.ReadOnly = true })
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete} {
		if _, err := c.Do(t.Context(), method, nicPath, "1", nil); errkind.Of(err) != errkind.Permission {
			t.Errorf("%s: %v", method, err)
		}
	}
	if c.Requests() != 0 {
		t.Errorf("%d requests were sent", c.Requests())
	}
}

func TestLogIsRedacted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := open(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-ms-correlation-request-id", "corr-7")
		wire.Refuse(w, 409, "ScopeLocked", "hunter2 in the answer")
	}, func(o *azure.Options) {
		o.Log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, _ = c.Do(t.Context(), http.MethodPut, nicPath+"?sig=SIGNATURE", "2024-01-01", map[string]string{"customData": "CLOUDINIT"})
	line := out.String()
	for _, secret := range []string{"secret-token", "Bearer", "SIGNATURE", "CLOUDINIT", "hunter2"} {
		if strings.Contains(line, secret) {
			t.Errorf("%s is in the log: %s", secret, line)
		}
	}
	for _, fact := range []string{"PUT", nicPath, "2024-01-01", "409", "ScopeLocked", "corr-7"} {
		if !strings.Contains(line, fact) {
			t.Errorf("%s is not in the log: %s", fact, line)
		}
	}
}

func TestRequestCount(t *testing.T) {
	t.Parallel()
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		if ua := r.Header.Get("User-Agent"); !strings.HasPrefix(ua, "azlin-test ") {
			t.Errorf("user agent %q", ua)
		}
		wire.Reply(w, 200, `{}`)
	}, func(o *azure.Options) { o.UserAgent = "azlin-test" })
	for range 3 {
		_, _ = c.Do(t.Context(), http.MethodGet, nicPath, "1", nil)
	}
	_, _ = c.Do(t.Context(), http.MethodDelete, nicPath, "1", nil)
	if diff := cmp.Diff(map[string]int{"GET": 3, "DELETE": 1}, c.RequestsByMethod()); diff != "" || c.Requests() != 4 {
		t.Error(diff, c.Requests())
	}
}
