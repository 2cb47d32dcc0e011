package emulator_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/coder/websocket"

	"github.com/azlin-dev/azlin/emulator"
)

// plane is the data plane of a Bastion, spoken to by hand.
type plane struct {
	bastionLab

	dns, vm string
	token   string // of Azure Resource Manager
}

func newPlane(t *testing.T, o emulator.Options) plane {
	t.Helper()
	p := plane{bastionLab: newBastionLab(t, o)}
	p.network()
	p.vm = *p.lab.vm("box").ID
	nic := must(p.nics.Get(t.Context(), group, "box-nic", nil))
	vnet, _, _ := strings.Cut(*nic.Properties.IPConfigurations[0].Properties.Subnet.ID, "/subnets/")
	name := vnet[strings.LastIndexByte(vnet, '/')+1:]
	space := *must(p.vnets.Get(t.Context(), group, name, nil)).Properties.AddressSpace.AddressPrefixes[0]
	subnet := finish[armnetwork.SubnetsClientCreateOrUpdateResponse](p.lab)(p.subnets.BeginCreateOrUpdate(t.Context(), group, name, "AzureBastionSubnet", armnetwork.Subnet{
		Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new(strings.Replace(space, ".0.0/16", ".255.0/26", 1))},
	}, nil))
	ip := p.address("bastion-ip", armnetwork.PublicIPAddressSKUNameStandard, armnetwork.IPAllocationMethodStatic)
	b := finish[armnetwork.BastionHostsClientCreateOrUpdateResponse](p.lab)(p.bastions.BeginCreateOrUpdate(t.Context(), group, "hub",
		bastionBody(standard, *subnet.ID, ip, func(b *armnetwork.BastionHostPropertiesFormat) { b.EnableTunneling = new(true) }), nil))
	p.dns = *b.Properties.DNSName
	token, err := p.cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	p.token = token.Token
	return p
}

// send makes a request to the data plane.
func (p plane) send(method, path string, form url.Values, node string) (int, map[string]any) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, "https://"+p.dns+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if node != "" {
		req.Header.Set("X-Node-Id", node)
	}
	resp, err := p.e.Client().Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	body := map[string]any{}
	_ = json.Unmarshal(raw, &body) // some answers have none
	return resp.StatusCode, body
}

func (p plane) form(change func(url.Values)) url.Values {
	f := url.Values{"resourceId": {p.vm}, "protocol": {"tcptunnel"}, "workloadHostPort": {"22"}, "aztoken": {p.token}}
	if change != nil {
		change(f)
	}
	return f
}

func TestBastionTokens(t *testing.T) {
	t.Parallel()
	p := newPlane(t, emulator.Options{})
	status, first := p.send(http.MethodPost, "/api/tokens", p.form(nil), "")
	if status != http.StatusOK {
		t.Fatalf("status %d: %v", status, first)
	}
	for _, k := range []string{"authToken", "username", "dataSource", "nodeId", "availableDataSources", "websocketToken"} {
		if _, ok := first[k]; !ok {
			t.Errorf("the answer has no %s: %v", k, first)
		}
	}
	auth, node := first["authToken"].(string), first["nodeId"].(string)
	// The session goes on with its token, on its node, and every connection has a websocket token of its own.
	_, second := p.send(http.MethodPost, "/api/tokens", p.form(func(f url.Values) { f.Set("token", auth) }), node)
	if second["authToken"] != auth || second["nodeId"] != node || second["websocketToken"] == first["websocketToken"] {
		t.Errorf("the session did not go on: %v after %v", second, first)
	}
	if status, _ := p.send(http.MethodPost, "/api/tokens", p.form(func(f url.Values) { f.Set("token", auth) }), "other"); status != http.StatusNotFound {
		t.Errorf("on another node: %d", status)
	}
	if status, fresh := p.send(http.MethodPost, "/api/tokens", p.form(func(f url.Values) { f.Set("token", "unknown") }), ""); status != http.StatusOK || fresh["authToken"] == auth {
		t.Errorf("with an unknown token: %d %v", status, fresh)
	}
	if status, _ := p.send(http.MethodDelete, "/api/tokens/"+auth, nil, "other"); status != http.StatusNotFound {
		t.Errorf("ending it on another node: %d", status)
	}
	if status, _ := p.send(http.MethodDelete, "/api/tokens/"+auth, nil, node); status != http.StatusNoContent {
		t.Errorf("ending it: %d", status)
	}
	if status, _ := p.send(http.MethodDelete, "/api/tokens/"+auth, nil, node); status != http.StatusNotFound {
		t.Errorf("ending it again: %d", status)
	}
	// The websocket tokens of a session end with it, and nothing but a websocket gets in.
	dial := func(token, node string) int {
		_, resp, err := websocket.Dial(t.Context(), "wss://"+p.dns+"/webtunnelv2/"+token+"?X-Node-Id="+node, &websocket.DialOptions{HTTPClient: p.e.Client()}) //nolint:bodyclose // the library closes it
		if err == nil || resp == nil {
			t.Fatalf("%v", err)
		}
		return resp.StatusCode
	}
	if status := dial(second["websocketToken"].(string), node); status != http.StatusUnauthorized {
		t.Errorf("the token of a session that has ended: %d", status)
	}
	if status := dial("nonsense", node); status != http.StatusUnauthorized {
		t.Errorf("a token that is none: %d", status)
	}
	_, third := p.send(http.MethodPost, "/api/tokens", p.form(nil), "")
	if status := dial(third["websocketToken"].(string), ""); status != http.StatusNotFound {
		t.Errorf("without a node: %d", status)
	}
	// Nothing of Azure Resource Manager is here, nor a Developer's paths.
	for _, path := range []string{"/subscriptions?api-version=2022-12-01", "/api/connection", "/omni/webtunnel/x", "/metadata/endpoints", "/"} {
		if status, _ := p.send(http.MethodGet, path, nil, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	finish[armnetwork.BastionHostsClientDeleteResponse](p.lab)(p.bastions.BeginDelete(t.Context(), group, "hub", nil))
	if status, _ := p.send(http.MethodPost, "/api/tokens", p.form(nil), ""); status != http.StatusNotFound {
		t.Errorf("a deleted Bastion: %d", status)
	}
}

// TestBastionAsksForRights signs in as somebody who may not read what a tunnel leads to.
func TestBastionAsksForRights(t *testing.T) {
	t.Parallel()
	p := newPlane(t, emulator.Options{})
	sub := "/subscriptions/" + p.e.Identity().SubscriptionID
	for name, test := range map[string]struct {
		actions []string
		status  int
	}{
		"nothing":     {[]string{"Microsoft.Resources/*"}, http.StatusForbidden},
		"the-bastion": {[]string{"Microsoft.Network/bastionHosts/read"}, http.StatusForbidden},
		"not-the-nic": {[]string{"Microsoft.Network/bastionHosts/read", "Microsoft.Compute/virtualMachines/read"}, http.StatusForbidden},
		"all-of-it":   {[]string{"Microsoft.Network/bastionHosts/read", "Microsoft.Compute/virtualMachines/read", "Microsoft.Network/networkInterfaces/read"}, http.StatusOK},
	} {
		err := p.e.PutPrincipal(emulator.Principal{Name: name, Secret: "not-a-secret-here", Roles: []emulator.Role{{Scope: sub, Actions: test.actions}}})
		if err != nil {
			t.Fatal(err)
		}
		id := p.e.Identity()
		id.ClientID, id.ClientSecret = emulator.ClientIDOf(name), "not-a-secret-here"
		token, err := connect(t, p.e, "https://management.azure.com", p.e.Client(), id).cred.GetToken(context.Background(),
			policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
		if err != nil {
			t.Fatal(err)
		}
		if status, body := p.send(http.MethodPost, "/api/tokens", p.form(func(f url.Values) { f.Set("aztoken", token.Token) }), ""); status != test.status {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	for name, bad := range map[string]func(url.Values){
		"no token":         func(f url.Values) { f.Del("aztoken") },
		"with its scheme":  func(f url.Values) { f.Set("aztoken", "Bearer "+p.token) },
		"a spoilt token":   func(f url.Values) { f.Set("aztoken", p.token+"x") },
		"another protocol": func(f url.Values) { f.Set("protocol", "rdp") },
		"no port":          func(f url.Values) { f.Del("workloadHostPort") },
		"no resource":      func(f url.Values) { f.Del("resourceId") },
	} {
		if status, body := p.send(http.MethodPost, "/api/tokens", p.form(bad), ""); status < 400 || status >= 500 || body["message"] == "" {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
}
