package emulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/emulator"
)

// TestSDKOverTLS takes a VM through its life with the official clients, against the server as it is run,
// and has it refuse what Azure refuses.
func TestSDKOverTLS(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	st, err := emulator.Start(ctx, starter(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulator.Stop(context.Background(), dir) }) // the directory goes next
	l := overTLS(t, st)
	l.network()
	id := *l.vm("tls").ID

	page, err := l.vms.NewListAllPager(nil).NextPage(ctx)
	if err != nil || len(page.Value) != 1 || *page.Value[0].Name != "tls" {
		t.Errorf("list: %+v, %v", page.Value, err)
	}
	_, err = l.tags.UpdateAtScope(ctx, id, armresources.TagsPatchResource{
		Operation:  to.Ptr(armresources.TagsPatchOperationMerge),
		Properties: &armresources.Tags{Tags: map[string]*string{"team": new("web")}},
	}, nil)
	if err != nil {
		t.Error(err)
	}
	vm, err := l.vms.Get(ctx, group, "tls", nil)
	if err != nil || vm.Tags["team"] == nil || *vm.Tags["team"] != "web" {
		t.Errorf("tag: %v, %v", vm.Tags, err)
	}
	finish[armcompute.VirtualMachinesClientDeallocateResponse](l)(l.vms.BeginDeallocate(ctx, group, "tls", nil))
	if got := l.power("tls"); got != "PowerState/deallocated" {
		t.Errorf("stop: %s", got)
	}
	finish[armcompute.VirtualMachinesClientDeleteResponse](l)(l.vms.BeginDelete(ctx, group, "tls", nil))
	refused(t, "a deleted VM", "ResourceNotFound", func() error { _, err := l.vms.Get(ctx, group, "tls", nil); return err })
	refused(t, "a missing group", "ResourceGroupNotFound", func() error { _, err := l.groups.Get(ctx, "nosuch", nil); return err })

	old := *l.opt
	old.APIVersion = "1999-01-01"
	ancient := must(armcompute.NewVirtualMachinesClient(st.SubscriptionID, l.cred, &old))
	refused(t, "an unknown api-version", "NoRegisteredProviderFound", func() error {
		_, err := ancient.Get(ctx, group, "tls", nil)
		return err
	})
	pem, err := os.ReadFile(st.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	hc := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(hc.CloseIdleConnections)
	stranger := connect(t, nil, st.Endpoint, hc, emulator.Identity{
		TenantID: st.TenantID, SubscriptionID: st.SubscriptionID, ClientID: st.ClientID, ClientSecret: "wrong",
	})
	if _, err := stranger.groups.Get(ctx, group, nil); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("a wrong secret: %v", err)
	}
}

// refused checks the code of Azure's refusal.
func refused(t *testing.T, what, code string, call func() error) {
	t.Helper()
	err := call()
	if e, ok := errors.AsType[*azcore.ResponseError](err); !ok || e.ErrorCode != code {
		t.Errorf("%s: want %s, got %v", what, code, err)
	}
}
