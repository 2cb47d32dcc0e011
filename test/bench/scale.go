//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/emulator"
)

// fleetSize is how many VMs are made through Azure Resource Manager, and hostsAtOnce how many of them run at once.
const (
	fleetSize   = 1000
	hostsAtOnce = 200
)

// scaleServe is the daemon that scale measures, in a process of its own.
func scaleServe(ctx context.Context, dir string) error {
	return emulator.Serve(ctx, emulator.ServeOptions{
		Dir: dir, Throttle: emulator.ThrottleOff, Quota: map[string]int{"cores": 1 << 20, "standardBSFamily": 1 << 20, "PublicIPAddresses": 1 << 20, "StaticPublicIPAddresses": 1 << 20, "StandardIPv4PublicIPAddresses": 1 << 20, "NetworkInterfaces": 1 << 20},
	})
}

// scale makes a large fleet and measures the emulator's process.
func scale(ctx context.Context, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	st, err := emulator.Start(ctx, emulator.StartOptions{Dir: dir, Command: []string{self, "serve", dir}})
	if err != nil {
		return err
	}
	defer func() { _ = emulator.Stop(context.WithoutCancel(ctx), dir) }() // the directory goes, too
	f, err := newFleet(ctx, st, dir)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d VMs through Azure Resource Manager, 32 at a time:\n", fleetSize)
	goal := func(what, got, want string) { fmt.Printf("%-44s %12s  (goal: %s at most)\n", what, got, want) }
	began := time.Now()
	if err := f.create(ctx); err != nil {
		return err
	}
	goal("created, with addresses and interfaces", time.Since(began).Round(10*time.Millisecond).String(), "60 s")
	memory := func() string { return strconv.FormatInt(peak(st.PID)>>20, 10) + " MB" }
	goal("memory of the emulator's process, at most", memory(), "250 MB")
	began = time.Now()
	pages, vms, err := f.list(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %12s  %d VMs on %d pages\n", "listed", time.Since(began).Round(time.Millisecond), vms, pages)
	time.Sleep(7 * time.Second) // the last changes are written meanwhile
	whole, appended, err := written(dir, func() error {
		return f.put(ctx, "PATCH", f.vm(0), "2025-04-01", map[string]any{"tags": map[string]string{"changed": "yes"}})
	})
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %12s  of a state of %d KB\n", "bytes written for one change", strconv.FormatInt(appended, 10), whole>>10)
	began = time.Now()
	if err := f.reach(ctx, hostsAtOnce); err != nil {
		return err
	}
	fmt.Printf("%-44s %12s\n", fmt.Sprintf("%d more VMs started by reaching them", hostsAtOnce), time.Since(began).Round(10*time.Millisecond))
	goal("memory of the emulator's process, at most", memory(), "250 MB")
	return nil
}

// fleetKey is nobody's.
const fleetKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHDwQ0Uu1rR9rT1p1wOq8r1b1rGq3i0cN4kYw4C6y0Wv bench"

// fleet is a client that makes VMs as fast as it can.
type fleet struct {
	client *http.Client
	base   string // URL of the resource group
	token  string
	port   int
	dir    string // of the emulator
}

func newFleet(ctx context.Context, st emulator.Status, dir string) (*fleet, error) {
	ca, err := os.ReadFile(st.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	f := &fleet{
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 64}},
		base:   st.Endpoint + "/subscriptions/" + st.SubscriptionID + "/resourceGroups/scale", port: st.SSHPort, dir: dir,
	}
	secret, err := os.ReadFile(st.ClientSecretFile)
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {st.ClientID}, "client_secret": {strings.TrimSpace(string(secret))}, "scope": {st.Endpoint + "/.default"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, st.Endpoint+"/"+st.TenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // was read
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil || token.AccessToken == "" {
		return nil, fmt.Errorf("no token: %s, %w", resp.Status, err)
	}
	f.token = token.AccessToken
	return f, nil
}

func (f *fleet) vm(i int) string {
	return fmt.Sprintf("/providers/Microsoft.Compute/virtualMachines/vm%04d", i)
}

// do makes a request and reads its answer into out.
func (f *fleet) do(ctx context.Context, method, address string, body, out any) error {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, r)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // was read
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.300s", method, address, resp.Status, raw)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

func (f *fleet) put(ctx context.Context, method, path, version string, body any) error {
	return f.do(ctx, method, f.base+path+"?api-version="+version, body, nil)
}

// settled waits until a resource is there.
func (f *fleet) settled(ctx context.Context, path, version string) error {
	for {
		var got struct {
			Properties struct {
				ProvisioningState string `json:"provisioningState"`
			} `json:"properties"`
		}
		if err := f.do(ctx, http.MethodGet, f.base+path+"?api-version="+version, nil, &got); err != nil {
			return err
		}
		switch got.Properties.ProvisioningState {
		case "Succeeded":
			return nil
		case "Failed":
			return errors.New(path + " failed")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

type object = map[string]any

const networkVersion, computeVersion = "2025-05-01", "2025-04-01"

// create makes the network and then the VMs, as azlin does.
func (f *fleet) create(ctx context.Context) error {
	const network = "/providers/Microsoft.Network/"
	id := func(path string) object { return object{"id": f.base[strings.Index(f.base, "/subscriptions"):] + path} }
	rule := object{"name": "ssh", "properties": object{
		"priority": 1000, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "203.0.113.10",
		"sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22",
	}}
	at := object{"location": "westus2"}
	steps := []struct {
		path string
		body object
	}{
		{network + "networkSecurityGroups/nsg", object{"properties": object{"securityRules": []any{rule}}}},
		{network + "virtualNetworks/vnet", object{"properties": object{
			"addressSpace": object{"addressPrefixes": []any{"10.64.0.0/16"}},
			"subnets": []any{object{"name": "default", "properties": object{
				"addressPrefix": "10.64.0.0/17", "defaultOutboundAccess": false, "networkSecurityGroup": id(network + "networkSecurityGroups/nsg"),
			}}},
		}}},
	}
	if err := f.put(ctx, http.MethodPut, "", "2021-04-01", at); err != nil {
		return err
	}
	for _, s := range steps {
		s.body["location"] = "westus2"
		if err := f.put(ctx, http.MethodPut, s.path, networkVersion, s.body); err != nil {
			return err
		}
		if err := f.settled(ctx, s.path, networkVersion); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(32)
	for i := range fleetSize {
		g.Go(func() error { return f.one(ctx, i, id) })
	}
	return g.Wait()
}

// one makes a VM with its address and interface.
func (f *fleet) one(ctx context.Context, i int, id func(string) object) error {
	const network = "/providers/Microsoft.Network/"
	name := fmt.Sprintf("vm%04d", i)
	ip, nic, vm := network+"publicIPAddresses/"+name, network+"networkInterfaces/"+name, f.vm(i)
	for _, s := range []struct {
		path, version string
		body          object
	}{
		{ip, networkVersion, object{"sku": object{"name": "Standard"}, "properties": object{"publicIPAllocationMethod": "Static"}}},
		{nic, networkVersion, object{"properties": object{"ipConfigurations": []any{object{"name": "primary", "properties": object{
			"subnet": id(network + "virtualNetworks/vnet/subnets/default"), "publicIPAddress": id(ip),
		}}}}}},
		{vm, computeVersion, object{"tags": object{"managed-by": "azlin"}, "properties": object{
			"hardwareProfile": object{"vmSize": "Standard_B2s"},
			"storageProfile": object{
				"imageReference": object{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"},
				"osDisk":         object{"name": name + "-os", "createOption": "FromImage"},
			},
			"osProfile": object{"computerName": name, "adminUsername": "azureuser", "linuxConfiguration": object{
				"disablePasswordAuthentication": true,
				"ssh":                           object{"publicKeys": []any{object{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": fleetKey}}},
			}},
			"networkProfile": object{"networkInterfaces": []any{id(nic)}},
		}}},
	} {
		s.body["location"] = "westus2"
		if err := f.put(ctx, http.MethodPut, s.path, s.version, s.body); err != nil {
			return err
		}
		if err := f.settled(ctx, s.path, s.version); err != nil {
			return err
		}
	}
	return nil
}

// list counts the VMs, page by page.
func (f *fleet) list(ctx context.Context) (pages, vms int, err error) {
	next := f.base + "/providers/Microsoft.Compute/virtualMachines?api-version=" + computeVersion
	for next != "" {
		var page struct {
			Value    []json.RawMessage `json:"value"`
			NextLink string            `json:"nextLink"`
		}
		if err := f.do(ctx, http.MethodGet, next, nil, &page); err != nil {
			return 0, 0, err
		}
		pages, vms, next = pages+1, vms+len(page.Value), page.NextLink
	}
	return pages, vms, nil
}

// reach connects to n VMs, which start for it, until all have said that they are SSH servers.
func (f *fleet) reach(ctx context.Context, n int) error {
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(16)
	var mu sync.Mutex
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close() // it is not needed any more
		}
	}()
	for i := fleetSize - n; i < fleetSize; i++ { // the last ones have not been started
		g.Go(func() error {
			var ip struct {
				Properties struct {
					IPAddress string `json:"ipAddress"`
				} `json:"properties"`
			}
			if err := f.do(each, http.MethodGet, f.base+fmt.Sprintf("/providers/Microsoft.Network/publicIPAddresses/vm%04d?api-version=", i)+networkVersion, nil, &ip); err != nil {
				return err
			}
			var d net.Dialer
			c, err := d.DialContext(each, "tcp", net.JoinHostPort(ip.Properties.IPAddress, strconv.Itoa(f.port)))
			if err != nil {
				return err
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				return err
			}
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "SSH-2.0-") {
				return fmt.Errorf("vm%04d says %q: %w", i, line, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	st, err := emulator.Read(ctx, f.dir)
	if err != nil {
		return err
	}
	running := 0
	for _, h := range st.Hosts {
		if h.State == "running" {
			running++
		}
	}
	if running < n {
		return fmt.Errorf("%d VMs run, not %d", running, n)
	}
	return nil
}

// peak is the most memory that a process has used, in bytes; 0 where that cannot be told.
func peak(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(kb)[0], 10, 64) // the kernel wrote it
			return n << 10
		}
	}
	return 0
}

// written is how large the state is, and by how many bytes a change made it grow.
func written(dir string, change func() error) (whole, appended int64, err error) {
	size := func() (n int64) {
		err = errors.Join(err, filepath.WalkDir(filepath.Join(dir, "state"), func(_ string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			i, err := e.Info()
			if err == nil {
				n += i.Size()
			}
			return err
		}))
		return n
	}
	whole = size()
	if err := change(); err != nil {
		return 0, 0, err
	}
	time.Sleep(2 * time.Second)
	return whole, size() - whole, err
}
