package cost_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
)

// wire stands between Prices and the emulator, and counts.
type wire struct {
	next http.RoundTripper

	mu    sync.Mutex
	asked int
	down  bool
	slow  time.Duration
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.asked++
	down, slow := w.down, w.slow
	w.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if down {
		return nil, errors.New("no route to host")
	}
	return w.next.RoundTrip(r)
}

func (w *wire) set(down bool, slow time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down, w.slow = down, slow
}

// took is how many requests have been sent since it was last called.
func (w *wire) took() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.asked
	w.asked = 0
	return n
}

func newWire(t *testing.T) *wire {
	t.Helper()
	return &wire{next: local.New(t, emulator.Options{}).Emulator.Client().Transport}
}

func (w *wire) prices(dir string) *cost.Prices {
	return cost.New(cost.Options{HTTP: &http.Client{Transport: w}, CacheDir: dir})
}

func text(m *cost.Money) string {
	if m == nil {
		return "-"
	}
	return m.String()
}

func TestVMPrices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		dir := filepath.Join(t.TempDir(), "cache")
		p := w.prices(dir)
		got := p.VMs(t.Context(), "West US 2", "Standard_D4s_v5", "Standard_Nonsense", "standard_d4s_v5")
		if got.Failed != nil {
			t.Fatal(got.Failed)
		}
		d4 := got.Sizes["Standard_D4s_v5"]
		if text(d4.OnDemand) != "0.192 USD" || text(d4.Spot) != "0.0384 USD" || d4.Source.Name != cost.SourceRetail || !d4.Source.AsOf.Equal(time.Now()) {
			t.Errorf("got %+v: %s, spot %s", d4, text(d4.OnDemand), text(d4.Spot))
		}
		for _, unknown := range []string{"Standard_Nonsense", "standard_d4s_v5"} { // the service minds the case
			if u, ok := got.Sizes[unknown]; !ok || u.OnDemand != nil || u.Spot != nil {
				t.Errorf("%s: %+v", unknown, u)
			}
		}
		if n := w.took(); n != 3 {
			t.Errorf("%d requests for three sizes", n)
		}
		// Memory, and then another process with the same directory, know them, the unknown one too.
		for _, q := range []*cost.Prices{p, w.prices(dir)} {
			if again := q.VMs(t.Context(), "westus2", "Standard_D4s_v5", "Standard_Nonsense"); text(again.Sizes["Standard_D4s_v5"].OnDemand) != "0.192 USD" {
				t.Errorf("got %+v", again)
			}
		}
		if n := w.took(); n != 0 {
			t.Errorf("%d requests for known prices", n)
		}
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("directory: %v, %v", info, err)
		}
		for _, file := range files(t, dir) {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", file, info, err)
			}
		}

		time.Sleep(25 * time.Hour) // virtual
		p.VMs(t.Context(), "westus2", "Standard_D4s_v5")
		if n := w.took(); n != 1 {
			t.Errorf("%d requests a day later", n)
		}
		for _, file := range files(t, dir) {
			if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		w.prices(dir).VMs(t.Context(), "westus2", "Standard_D4s_v5")
		if n := w.took(); n != 1 {
			t.Errorf("%d requests with a damaged cache", n)
		}
	})
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "prices-*.json"))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return list
}

// chopped makes pages of at most n items, so that a region has several.
func chopped(next http.RoundTripper, n int) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		var page map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
			return nil, err
		}
		if items, _ := page["Items"].([]any); len(items) > n {
			q := r.URL.Query()
			skip, _ := strconv.Atoi(q.Get("$skip")) // the first page has none
			q.Set("$skip", strconv.Itoa(skip+n))
			page["Items"], page["Count"] = items[:n], n
			page["NextPageLink"] = "https://" + r.URL.Host + ":443" + r.URL.Path + "?" + q.Encode()
		}
		data, err := json.Marshal(page)
		resp.Body = io.NopCloser(bytes.NewReader(data))
		return resp, err
	})
}

func TestManySizesReadTheRegion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.next = chopped(w.next, 100)
		p := w.prices("")
		var sizes []string
		for _, n := range []string{"2", "4", "8", "16", "32", "64"} {
			sizes = append(sizes, "Standard_D"+n+"s_v5", "Standard_E"+n+"s_v5")
		}
		sizes = append(sizes, "Standard_Nonsense")
		got := p.VMs(t.Context(), "eastus", sizes...)
		for _, size := range sizes {
			if known := got.Sizes[size].OnDemand != nil; known == (size == "Standard_Nonsense") {
				t.Errorf("%s: %+v", size, got.Sizes[size])
			}
		}
		n := w.took()
		if n < 2 || n > 6 {
			t.Errorf("%d requests for the pages of a region", n)
		}
		p.VMs(t.Context(), "eastus", "Standard_B2s", "Standard_Nothing")
		if n := w.took(); n != 0 {
			t.Errorf("%d requests after all sizes were read", n)
		}
	})
}

func TestAskersShareARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		p := w.prices("")
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { p.VMs(t.Context(), "westus2", "Standard_B2s") })
		}
		all.Wait()
		if n := w.took(); n != 1 {
			t.Errorf("%d requests of 20 askers", n)
		}
		// A dead service costs its time-out once, not once per asker.
		w.set(false, time.Hour)
		start := time.Now()
		for range 20 {
			all.Go(func() {
				if got := p.VMs(t.Context(), "eastus", "Standard_B2s"); got.Failed == nil || got.Sizes["Standard_B2s"].OnDemand == nil {
					t.Errorf("got %+v", got)
				}
			})
		}
		all.Wait()
		if d := time.Since(start); d > 6*time.Second || w.took() != 1 {
			t.Errorf("it took %v", d)
		}
	})
}

func TestBuiltInListWhenTheServiceIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		w.set(true, 0)
		p := w.prices(t.TempDir())
		got := p.VMs(t.Context(), "westus2", "Standard_D4s_v5", "Standard_Nonsense")
		if errkind.Of(got.Failed) != errkind.Unreachable {
			t.Errorf("failed: %v", got.Failed)
		}
		d4 := got.Sizes["Standard_D4s_v5"]
		if text(d4.OnDemand) != "0.192 USD" || d4.Spot != nil || d4.Source != (cost.Source{Name: cost.SourceBuiltIn, AsOf: cost.BuiltInDate()}) {
			t.Errorf("got %+v", d4)
		}
		if got.Sizes["Standard_Nonsense"].OnDemand != nil {
			t.Error("nonsense has a price")
		}
		e := p.Estimate(t.Context(), machine())
		if text(e.Hourly) != "0.192 USD" || text(e.Monthly) != "140.160 USD" || !slices.Equal(e.Unknown, []string{"OS disk", "public IP"}) || e.Failed == nil {
			t.Errorf("got %+v", e)
		}
		// Nothing of the failure stays: a minute later the service is asked again.
		w.set(false, 0)
		time.Sleep(2 * time.Minute)
		if got := p.VMs(t.Context(), "westus2", "Standard_D4s_v5"); got.Failed != nil || got.Sizes["Standard_D4s_v5"].Spot == nil {
			t.Errorf("got %+v", got)
		}
	})
}

func machine() cost.Machine {
	return cost.Machine{Region: "westus2", Size: "Standard_D4s_v5", Disks: []cost.Disk{{Type: "Premium_LRS", SizeGB: 30}}, PublicIP: true}
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		p := w.prices("")
		e := p.Estimate(t.Context(), machine())
		if e.Failed != nil || len(e.Unknown) > 0 || len(e.Parts) != 3 || len(e.Sources()) == 0 {
			t.Fatalf("got %+v", e)
		}
		for n, want := range []string{"VM 140.16 USD", "OS disk 4.80 USD", "public IP 3.65 USD"} {
			if got := e.Parts[n].Name + " " + e.Parts[n].Monthly.Cents(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		if e.Monthly.Cents() != "148.61 USD" || text(e.Hourly) != "0.203575 USD" {
			t.Errorf("sum %s, %s", e.Monthly, e.Hourly)
		}
		if n := w.took(); n != 3 {
			t.Errorf("%d requests", n)
		}
		m := machine()
		m.Spot, m.PublicIP = true, false
		m.Disks = append(m.Disks, cost.Disk{Type: "UltraSSD_LRS", SizeGB: 100}, cost.Disk{Type: "StandardSSD_LRS", SizeGB: 100})
		e = p.Estimate(t.Context(), m)
		if e.Parts[0].Hourly.String() != "0.0384 USD" || !slices.Equal(e.Unknown, []string{"data disk 1"}) || len(e.Parts) != 4 {
			t.Errorf("got %+v", e)
		}
		m.Size, m.Disks = "Standard_Nonsense", nil
		if e = p.Estimate(t.Context(), m); e.Hourly != nil || e.Monthly != nil || !slices.Equal(e.Unknown, []string{"VM"}) {
			t.Errorf("nothing is known: %+v", e)
		}
	})
}

func TestForeignPagesAreNotFollowed(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		"https://elsewhere.example/prices": "another server", "http://prices.azure.com/x": "another server", "https://%zz": "next page",
	} {
		served := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: body(`{"Items":[],"NextPageLink":"` + link + `"}`)}, nil
		})
		p := cost.New(cost.Options{HTTP: &http.Client{Transport: served}})
		if got := p.VMs(t.Context(), "westus2", "Standard_B2s"); got.Failed == nil || !strings.Contains(got.Failed.Error(), want) {
			t.Errorf("%s: %v", link, got.Failed)
		}
	}
	// As Microsoft writes it: with the port.
	pages := 0
	served := roundTrip(func(*http.Request) (*http.Response, error) {
		if pages++; pages > 1 {
			return &http.Response{StatusCode: http.StatusTooManyRequests, Status: "429 Too Many Requests", Body: body("")}, nil
		}
		return &http.Response{StatusCode: 200, Body: body(`{"Items":[],"NextPageLink":"https://prices.azure.com:443/api/retail/prices?$skip=100"}`)}, nil
	})
	p := cost.New(cost.Options{HTTP: &http.Client{Transport: served}})
	if got := p.VMs(t.Context(), "westus2", "Standard_B2s"); errkind.Of(got.Failed) != errkind.Throttled || pages != 2 {
		t.Errorf("%d pages, %v", pages, got.Failed)
	}
}
