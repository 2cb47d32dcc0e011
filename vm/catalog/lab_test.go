package catalog_test

import (
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
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
	cfg := lab.Config("dev")
	change(&cfg)
	return provision.New(c, provision.Options{}).Provision(t.Context(), cfg, nil)
}
