package catalog_test

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

const region = "westus2"

// open gives the catalog of a local Azure, and the client that it asks through.
func open(t *testing.T, o emulator.Options) (*catalog.Service, *azure.Client) {
	t.Helper()
	c := local.New(t, o).Client()
	return catalog.New(c, ""), c
}

// provisioned makes a VM in that Azure.
func provisioned(t *testing.T, c *azure.Client, change func(*provision.Config)) (provision.Details, error) {
	t.Helper()
	cfg := provision.Config{
		Name: "dev", ResourceGroup: "azlin-rg", Region: region, Size: "Standard_D2s_v5", Owner: "ann", OperationID: "op-dev",
		SSHPublicKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hJ5Wq3X0mV9p4mYQ0gJd2bq0m2m8zjv6iWf6yqk3f ann@laptop"},
		SSHSources:    []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")},
	}
	change(&cfg)
	return provision.New(c, provision.Options{}).Provision(t.Context(), cfg, nil)
}

// forbid turns an answer into the refusal that a principal without rights gets.
func forbid(resp *http.Response) error {
	if err := resp.Body.Close(); err != nil {
		return err
	}
	resp.StatusCode, resp.Status = http.StatusForbidden, "403 Forbidden"
	resp.Body = io.NopCloser(strings.NewReader(`{"error":{"code":"AuthorizationFailed","message":"no"}}`))
	resp.ContentLength = -1
	return nil
}
