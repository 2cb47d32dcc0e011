package launch_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm/provision"
)

// exhausted refuses the creation of some VMs, as Azure does when it has run out of a size, and counts what goes through.
type exhausted struct {
	next  http.RoundTripper
	names []string
	mu    sync.Mutex
	puts  map[string]int // by the last word of the type
	over  atomic.Bool
}

func (e *exhausted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut {
		parts := strings.Split(r.URL.Path, "/")
		for _, name := range e.names {
			if !e.over.Load() && strings.HasSuffix(r.URL.Path, "/virtualMachines/"+name) {
				body := `{"error":{"code":"AllocationFailed","message":"Allocation failed. We do not have sufficient capacity for the requested VM size in this region."}}`
				return &http.Response{
					StatusCode: http.StatusConflict, Status: "409 Conflict", Header: http.Header{"Content-Type": {"application/json"}},
					Body: io.NopCloser(strings.NewReader(body)), Request: r,
				}, nil
			}
		}
		e.mu.Lock()
		e.puts[parts[len(parts)-2]]++
		e.mu.Unlock()
	}
	return e.next.RoundTrip(r)
}

func runPool(t *testing.T, client *azlin.Client, r launch.Request, count int) (*launch.PoolPlan, *launch.PoolResult) {
	t.Helper()
	display := progress.New(0, nil)
	plan, err := client.Launcher.PlanPool(t.Context(), r, count, display)
	if err != nil {
		t.Fatal(err)
	}
	result, err := client.Launcher.RunPool(t.Context(), plan, display)
	if result == nil {
		t.Fatal(err)
	}
	if (err != nil) != (len(result.Failed) > 0) {
		t.Errorf("%d VMs failed, and the error is %v", len(result.Failed), err)
	}
	return plan, result
}

// TestPool makes twenty VMs, two of which Azure has no room for at first: no write more than needed, the two are named
// with what is left of them, and the same call makes them.
func TestPool(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	azure := &exhausted{names: []string{"ci-03", "ci-17"}, puts: map[string]int{}}
	client := c.open(t, "laptop", func(next http.RoundTripper) http.RoundTripper {
		azure.next = next
		return azure
	})
	request := c.request("ci")
	request.Tags = map[string]string{"team": "web"}
	request.Tools = []string{}
	plan, result := runPool(t, client, request, 20)
	if len(plan.Plans) != 20 || len(plan.Existing) != 0 || plan.Plans[0].Quota[0].Needed != 40 {
		t.Errorf("the plan: %d, %d, %+v", len(plan.Plans), len(plan.Existing), plan.Plans[0].Quota)
	}
	if len(result.Successful) != 18 || len(result.Failed) != 2 || result.TotalTime <= 0 {
		t.Fatalf("%d successful, %d failed", len(result.Successful), len(result.Failed))
	}
	for n, name := range []string{"ci-03", "ci-17"} {
		if f := result.Failed[n]; f.VM != name || f.Code != "AllocationFailed" || len(f.LeftOver) == 0 || errkind.Of(f.Err) != errkind.Capacity {
			t.Errorf("%+v", f)
		}
	}
	err := result.Err()
	if errkind.Of(err) != errkind.Partial || !errors.Is(err, provision.ErrProvisioning) || !strings.Contains(err.Error(), "2 of 20 failed (ci-03, ci-17)") {
		t.Errorf("got %v", err)
	}
	want := map[string]int{
		"resourcegroups": 1, "virtualNetworks": 1, "networkSecurityGroups": 1, // with the operator's rule in it
		"publicIPAddresses": 20, "networkInterfaces": 20, "virtualMachines": 18,
	}
	for kind, n := range want {
		if azure.puts[kind] != n {
			t.Errorf("%d writes of %s, want %d", azure.puts[kind], kind, n)
		}
	}
	if len(azure.puts) != len(want) {
		t.Errorf("other writes: %v", azure.puts)
	}
	if r := result.Successful[0]; r.VM.Name != "ci-01" || r.VM.SessionName != "ci-01" || r.VM.Tags["team"] != "web" || r.VM.Tags["azlin-pool"] != "ci" {
		t.Errorf("%+v", r.VM)
	}

	azure.over.Store(true)
	plan, result = runPool(t, client, request, 20)
	if len(plan.Plans) != 2 || len(result.Existing) != 18 || len(result.Successful) != 2 || result.Err() != nil {
		t.Fatalf("again: %d planned, %d existing, %d made, %v", len(plan.Plans), len(result.Existing), len(result.Successful), result.Err())
	}
	if azure.puts["virtualMachines"] != 20 || azure.puts["publicIPAddresses"] != 20 || azure.puts["networkInterfaces"] != 20 {
		t.Errorf("writes after the second call: %v", azure.puts)
	}
	for _, r := range result.Successful {
		out, err := remote.Execute(t.Context(), r.Host, "hostname", 0)
		if err != nil || strings.TrimSpace(out.Stdout) != r.VM.Name {
			t.Errorf("%s: %+v, %v", r.VM.Name, out, err)
		}
	}
	if n := c.Emulator.Counts().Resources["Microsoft.Compute/virtualMachines"]; n != 20 {
		t.Errorf("%d VMs", n)
	}
}

// TestPoolRefused: what would not fit all of them is refused before anything is written, and so are bad numbers.
func TestPoolRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.open(t, "laptop", nil)
	for _, tc := range []struct {
		name  string
		count int
		kind  errkind.Kind
	}{{"ci", 0, errkind.Invalid}, {"ci", launch.MaxPool + 1, errkind.Invalid}, {"-ci", 2, errkind.Invalid}, {strings.Repeat("x", 53), 2, errkind.Invalid}} {
		if _, err := client.Launcher.PlanPool(t.Context(), c.request(tc.name), tc.count, progress.New(0, nil)); errkind.Of(err) != tc.kind {
			t.Errorf("%s, %d: %v", tc.name, tc.count, err)
		}
	}
	if _, err := run(t.Context(), client, c.request("ci-02")); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Launcher.PlanPool(t.Context(), c.request("ci"), 3, progress.New(0, nil)); errkind.Of(err) != errkind.Conflict || !strings.Contains(err.Error(), "ci-02") {
		t.Errorf("a VM that is not of the pool: %v", err)
	}
}
