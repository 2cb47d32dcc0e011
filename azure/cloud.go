package azure

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/azlin-dev/azlin/azure/transport"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// Cloud holds the addresses of an Azure cloud. The zero value is the public cloud.
type Cloud struct {
	Name      string // "public", "usgovernment", "china", or the name of a custom one
	Endpoint  string // Azure Resource Manager, "https://management.azure.com"
	Authority string // Microsoft Entra, "https://login.microsoftonline.com"
	Audience  string // audience of tokens; empty: Endpoint
	CAFile    string // PEM certificates to trust in addition to the system's: a custom cloud's, or those of a TLS-inspecting proxy
	Custom    bool   // not one of Microsoft's: no instance discovery, and the server's clock is used
}

// Public is Azure's public cloud.
func Public() Cloud { return known("public", cloud.AzurePublic) }

// USGovernment is Azure Government.
func USGovernment() Cloud { return known("usgovernment", cloud.AzureGovernment) }

// China is Azure operated by 21Vianet.
func China() Cloud { return known("china", cloud.AzureChina) }

// Custom is an Azure with other addresses: the emulator, or an Azure Stack Hub. Both addresses must be https. An empty
// audience is that of Microsoft's public Azure Resource Manager.
func Custom(name, endpoint, authority, audience, caFile string) (Cloud, error) {
	for _, address := range []string{endpoint, authority} {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return Cloud{}, errkind.New(errkind.Invalid, "cloud %s: %q is not an https address", name, address)
		}
	}
	if audience == "" {
		audience = "https://management.azure.com"
	}
	return Cloud{
		Name: name, Endpoint: strings.TrimRight(endpoint, "/"), Authority: strings.TrimRight(authority, "/"),
		Audience: strings.TrimRight(audience, "/"), CAFile: caFile, Custom: true,
	}, nil
}

// ByName returns one of Microsoft's clouds by azlin's or the Azure CLI's name ("AzureCloud"); the empty name is the public
// cloud.
func ByName(name string) (Cloud, error) {
	switch strings.ToLower(name) {
	case "", "public", "azurecloud":
		return Public(), nil
	case "usgovernment", "azureusgovernment":
		return USGovernment(), nil
	case "china", "azurechinacloud":
		return China(), nil
	}
	return Cloud{}, errkind.New(errkind.Invalid, "unknown cloud %q: use public, usgovernment or china", name)
}

func known(name string, c cloud.Configuration) Cloud {
	arm := c.Services[cloud.ResourceManager]
	return Cloud{
		Name: name, Endpoint: strings.TrimRight(arm.Endpoint, "/"), Audience: strings.TrimRight(arm.Audience, "/"),
		Authority: strings.TrimRight(c.ActiveDirectoryAuthorityHost, "/"),
	}
}

// OrPublic replaces the zero value by the public cloud.
func (c Cloud) OrPublic() Cloud {
	if c == (Cloud{CAFile: c.CAFile}) {
		public := Public()
		public.CAFile = c.CAFile
		return public
	}
	return c
}

// CliName is the cloud's name in the Azure CLI's profile; empty for custom clouds.
func (c Cloud) CliName() string {
	switch c.OrPublic().Name {
	case "public":
		return "AzureCloud"
	case "usgovernment":
		return "AzureUSGovernment"
	case "china":
		return "AzureChinaCloud"
	}
	return ""
}

// Scope is the scope of tokens for Azure Resource Manager.
func (c Cloud) Scope() string { return c.OrPublic().audience() + "/.default" }

func (c Cloud) audience() string {
	if c.Audience == "" {
		return c.Endpoint
	}
	return c.Audience
}

// Configuration is the cloud as a type of the SDK.
func (c Cloud) Configuration() cloud.Configuration {
	c = c.OrPublic()
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: c.Authority + "/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: c.Endpoint, Audience: c.audience()},
		},
	}
}

// HTTPClient returns a client that trusts the cloud's own CA in addition to the system's and uses HTTPS_PROXY, except for a
// custom cloud on this machine.
func (c Cloud) HTTPClient() (*http.Client, error) {
	if c.CAFile == "" {
		return transport.Client(), nil
	}
	pem, err := atomicfile.Read(c.CAFile)
	if err != nil {
		return nil, &errkind.Error{Kind: errkind.Prerequisite, Op: "read the CA of cloud", Resource: c.Name, Err: err}
	}
	client, ok := transport.ClientTrusting(pem, c.host())
	if !ok {
		return nil, &errkind.Error{
			Kind: errkind.Invalid, Op: "read the CA of cloud", Resource: c.Name,
			Err: fmt.Errorf("%s holds no PEM certificate", c.CAFile),
		}
	}
	return client, nil
}

// host is the host and port of a custom cloud on this machine; empty: another machine.
func (c Cloud) host() string {
	u, err := url.Parse(c.Endpoint)
	if err != nil || !c.Custom {
		return ""
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.IsLoopback() {
		return ""
	}
	return u.Host
}

// Target is the resolved cloud, subscription and defaults of one command.
type Target struct {
	Cloud          Cloud
	TenantID       string
	SubscriptionID string
	ResourceGroup  string // default group; empty: all of the subscription
	Region         string
}
