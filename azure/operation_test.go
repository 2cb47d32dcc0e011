package azure_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/test/wire"
)

// lro is a server with one operation that takes a while.
type lro struct {
	until   time.Time
	first   http.Header // of the first answer
	polls   http.Header
	failure string // the error of the operation; empty: it succeeds
	looks   int
}

func (l *lro) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		maps.Copy(w.Header(), l.first)
		w.Header().Set("Azure-AsyncOperation", "https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/locations/w/operations/op-1?api-version=1&s=SIGNED")
		w.WriteHeader(202)
		return
	}
	l.looks++
	maps.Copy(w.Header(), l.polls)
	w.Header().Set("x-ms-correlation-request-id", "corr-lro")
	switch {
	case time.Now().Before(l.until):
		wire.Reply(w, 200, `{"status":"InProgress"}`)
	case l.failure != "":
		wire.Reply(w, 200, `{"status":"Failed","error":`+l.failure+`}`)
	default:
		wire.Reply(w, 200, `{"status":"Succeeded"}`)
	}
}

func start(ctx context.Context, c *azure.Client) (*azure.Operation[armcompute.VirtualMachinesClientStartResponse], error) {
	return azure.Begin(ctx, c, "start vm", "v", func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientStartResponse], error) {
		return c.VMs().BeginStart(ctx, "g", "v", nil)
	})
}

func TestOperation(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		first, polls http.Header
		takes        time.Duration
		most         time.Duration
		looks        int // at most
	}{
		{"as asked, in milliseconds", http.Header{"Retry-After": {"10"}, "Retry-After-Ms": {"20"}}, http.Header{"Retry-After-Ms": {"20"}}, 100 * time.Millisecond, 200 * time.Millisecond, 8},
		{"as asked, in seconds", http.Header{"Retry-After": {"10"}}, http.Header{"Retry-After": {"10"}}, 35 * time.Second, 41 * time.Second, 4},
		{"by default", nil, nil, 60 * time.Second, 66 * time.Second, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &lro{until: time.Now().Add(tc.takes), first: tc.first, polls: tc.polls}
				var records wire.Collected[audit.Record]
				c := open(t, server.serve, recorder(&records))
				began := time.Now()
				op, err := start(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				if op.ID() != "op-1" || op.Done() || op.ResumeToken() == "" {
					t.Errorf("id %q, done %v, token %q", op.ID(), op.Done(), op.ResumeToken())
				}
				var states []azure.OperationState
				if _, err := op.Wait(t.Context(), func(s azure.OperationState) { states = append(states, s) }); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > tc.most || server.looks > tc.looks {
					t.Errorf("took %s with %d looks", took, server.looks)
				}
				if len(states) != server.looks || states[0].Status != "InProgress" || states[len(states)-1].Status != "Succeeded" {
					t.Errorf("states: %+v", states)
				}
				if got := records.List(); len(got) != 3 || got[2].Status != audit.Succeeded || got[2].Event != audit.Power {
					t.Errorf("records: %+v", got)
				}
			})
		})
	}
}

func TestOperationFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &lro{failure: `{"code":"ZonalAllocationFailed","message":"no room in zone 1"}`}
		var records wire.Collected[audit.Record]
		c := open(t, server.serve, recorder(&records))
		op, err := start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = op.Wait(t.Context(), nil)
		e, _ := errors.AsType[*errkind.Error](err)
		if e == nil || errkind.Of(err) != errkind.Capacity || azure.Code(err) != "ZonalAllocationFailed" || !strings.Contains(err.Error(), "no room in zone 1") || e.CorrelationID != "corr-lro" {
			t.Errorf("got %v", err)
		}
		if got := records.List(); got[len(got)-1].Status != audit.Failed || got[len(got)-1].Code != "ZonalAllocationFailed" {
			t.Errorf("records: %+v", got)
		}
	})
}

func TestOperationCancelAndResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &lro{until: time.Now().Add(time.Minute)}
		c := open(t, server.serve)
		op, err := start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := contextWithTimeout(t, 10*time.Second)
		defer cancel()
		if _, err := op.Wait(ctx, nil); errkind.Of(err) != errkind.Unreachable {
			t.Errorf("deadline: %v", err)
		}
		token := op.ResumeToken()
		again, err := azure.Resume(t.Context(), c, "start vm", "v", func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientStartResponse], error) {
			return c.VMs().BeginStart(ctx, "", "", &armcompute.VirtualMachinesClientBeginStartOptions{ResumeToken: token})
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Wait(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
}

// TestPatienceEnds: an operation that Azure never ends is not waited for without end, and the error says that it may go on.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lro{until: time.Now().Add(100 * time.Hour)}
		c := open(t, l.serve)
		op, err := start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = op.Wait(t.Context(), nil)
		took := time.Since(began)
		if errkind.Of(err) != errkind.Provisioning || !strings.Contains(err.Error(), "has not ended it within 1h0m0s") || took < azure.DefaultPatience || took > azure.DefaultPatience+time.Minute {
			t.Errorf("after %s: %v", took, err)
		}
	})
}
