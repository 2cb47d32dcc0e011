package vm_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
)

// fill makes n VMs, several at once.
func fill(t *testing.T, l *lab.Lab, n int) {
	t.Helper()
	s, _ := l.Open()
	var g errgroup.Group
	g.SetLimit(32)
	for i := range n {
		g.Go(func() error {
			_, err := s.Provision(t.Context(), config(fmt.Sprintf("vm-%03d", i)), nil)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestListIsFourRequests(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ vms, pageSize, requests int }{
		{1, 1000, 4}, {500, 1000, 4}, {500, 200, 12},
	} {
		t.Run(fmt.Sprintf("%d VMs in pages of %d", tc.vms, tc.pageSize), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := lab.New(t, emulator.Options{PageSize: tc.pageSize, Quota: map[string]int{"cores": 5000, "standardBSFamily": 5000}})
				if err := l.Emulator.Seed(emulator.SeedOptions{Group: group, Location: region, VMs: tc.vms}); err != nil {
					t.Fatal(err)
				}
				var mu sync.Mutex
				var sent []string
				s, c := l.Open(func(o *azure.Options) {
					o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, See: func(r *http.Request) error {
						mu.Lock()
						defer mu.Unlock()
						path := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
						if r.URL.Query().Get("statusOnly") == "true" {
							path += " statusOnly"
						}
						sent = append(sent, r.Method+" "+path)
						return nil
					}}}
				})
				before := l.Emulator.Counts().Requests
				list, err := s.List(t.Context(), vm.ListOptions{ResourceGroup: group})
				if err != nil {
					t.Fatal(err)
				}
				if len(list.VMs) != tc.vms || list.Hidden != 0 {
					t.Errorf("%d VMs, %d hidden", len(list.VMs), list.Hidden)
				}
				for _, i := range list.VMs {
					if !i.IsRunning() || i.PublicIP == "" || i.PrivateIP == "" || i.CreatedTime == nil {
						t.Fatalf("incomplete: %+v", i)
					}
				}
				slices.Sort(sent)
				want := []string{"GET networkInterfaces", "GET publicIPAddresses", "GET virtualMachines", "GET virtualMachines statusOnly"}
				if diff := cmp.Diff(want, slices.Compact(sent)); diff != "" {
					t.Error(diff)
				}
				after := l.Emulator.Counts().Requests
				if n := after["GET"] - before["GET"]; n != tc.requests || c.Requests() != tc.requests {
					t.Errorf("%d requests, %d by our count, want %d", n, c.Requests(), tc.requests)
				}
			})
		})
	}
}

// foreign makes a VM that is not azlin's, by taking the tag away.
func foreign(t *testing.T, l *lab.Lab, name string) {
	t.Helper()
	s, c := l.Open()
	d, err := s.Provision(t.Context(), config(name), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteTags(t.Context(), d.ID, azure.TagManagedBy); err != nil {
		t.Fatal(err)
	}
}

func names(list vm.Listing) string {
	var out []string
	for _, i := range list.VMs {
		out = append(out, i.Name)
	}
	return strings.Join(out, " ")
}

func TestListChooses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		foreign(t, l, "other")
		s, c := l.Open()
		for _, name := range []string{"a", "b", "c"} {
			if _, err := s.Provision(t.Context(), config(name), nil); err != nil {
				t.Fatal(err)
			}
		}
		elsewhere := config("d")
		elsewhere.ResourceGroup = "another-rg"
		if _, err := s.Provision(t.Context(), elsewhere, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Stop(t.Context(), vm.Ref{ResourceGroup: group, Name: "a"}, vm.PowerOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			o      vm.ListOptions
			want   string // newest first
			hidden int
		}{
			{vm.ListOptions{}, "d c b a", 1},
			{vm.ListOptions{ResourceGroup: strings.ToUpper(group)}, "c b a", 1},
			{vm.ListOptions{ResourceGroup: "another-rg"}, "d", 0},
			{vm.ListOptions{ResourceGroup: group, All: true}, "c b a other", 0},
			{vm.ListOptions{ResourceGroup: group, ExcludeStopped: true}, "c b", 1},
			{vm.ListOptions{ResourceGroup: group, RunningOnly: true}, "c b", 1},
		} {
			list, err := s.List(t.Context(), tc.o)
			if err != nil || names(list) != tc.want || list.Hidden != tc.hidden {
				t.Errorf("%+v: %q with %d hidden, want %q with %d (%v)", tc.o, names(list), list.Hidden, tc.want, tc.hidden, err)
			}
		}
		running, err := s.Running(t.Context(), group)
		if err != nil || len(running) != 2 {
			t.Errorf("running: %v, %v", running, err)
		}
		if _, err := s.List(t.Context(), vm.ListOptions{ResourceGroup: "nowhere"}); errkind.Of(err) != errkind.NotFound {
			t.Errorf("an absent group: %v", err)
		}
		if _, _, err := resourcegroup.New(c).Ensure(t.Context(), "empty-rg", region, nil); err != nil {
			t.Fatal(err)
		}
		if list, err := s.List(t.Context(), vm.ListOptions{ResourceGroup: "empty-rg"}); err != nil || list.VMs == nil || len(list.VMs) != 0 {
			t.Errorf("an empty group: %+v, %v", list, err)
		}
	})
}

// TestListOfOneGroup: who may not read the subscription, but a group, gets that.
func TestListOfOneGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		fill(t, l, 3)
		full, _ := l.Open()
		if _, err := full.Stop(t.Context(), vm.Ref{ResourceGroup: group, Name: "vm-001"}, vm.PowerOptions{}); err != nil {
			t.Fatal(err)
		}
		want, err := full.List(t.Context(), vm.ListOptions{ResourceGroup: group})
		if err != nil {
			t.Fatal(err)
		}
		s, c := l.Open(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, Afterwards: func(r *http.Request, resp *http.Response) error {
				if !strings.Contains(strings.ToLower(r.URL.Path), "/resourcegroups/"+group) {
					return local.Forbid(resp)
				}
				return nil
			}}}
		})
		got, err := s.List(t.Context(), vm.ListOptions{ResourceGroup: group})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if n := c.Requests(); n > 4+3+3 {
			t.Errorf("%d requests", n)
		}
		if _, err := s.List(t.Context(), vm.ListOptions{}); errkind.Of(err) != errkind.Permission {
			t.Errorf("the whole subscription: %v", err)
		}
	})
}
