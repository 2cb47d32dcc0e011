package azure_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/wire"
)

// TestKinds sends each refusal through the real client.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status        int
		code, message string
		want          errkind.Kind
	}{
		{401, "InvalidAuthenticationToken", "", errkind.Auth},
		{401, "InvalidAuthenticationTokenTenant", "", errkind.Auth},
		{401, "ExpiredAuthenticationToken", "", errkind.Auth},
		{403, "AuthorizationFailed", "", errkind.Permission},
		{403, "RequestDisallowedByPolicy", "", errkind.Permission},
		{409, "SkuNotAvailable", "", errkind.Capacity},
		{400, "SkuNotAvailable", "", errkind.Capacity},
		{409, "AllocationFailed", "", errkind.Capacity},
		{409, "ZonalAllocationFailed", "", errkind.Capacity},
		{409, "OverconstrainedAllocationRequest", "", errkind.Capacity},
		{409, "OverconstrainedZonalAllocationRequest", "", errkind.Capacity},
		{409, "OperationNotAllowed", "exceeding approved standardDSv5 Family Cores quota", errkind.Quota},
		{409, "OperationNotAllowed", "The VM is being deleted", errkind.Conflict},
		{409, "QuotaExceeded", "", errkind.Quota},
		{400, "PublicIPCountLimitReached", "", errkind.Quota},
		{404, "ResourceNotFound", "", errkind.NotFound},
		{404, "ResourceGroupNotFound", "", errkind.NotFound},
		{404, "ParentResourceNotFound", "", errkind.NotFound},
		{409, "ScopeLocked", "", errkind.Conflict},
		{400, "NicInUse", "", errkind.Conflict},
		{400, "InUseSubnetCannotBeDeleted", "", errkind.Conflict},
		{400, "PublicIPAddressCannotBeDeleted", "", errkind.Conflict},
		{400, "InUseNetworkSecurityGroupCannotBeDeleted", "", errkind.Conflict},
		{409, "Conflict", "", errkind.Conflict},
		{409, "PropertyChangeNotAllowed", "", errkind.Conflict},
		{412, "PreconditionFailed", "", errkind.Conflict},
		{400, "SecurityRuleConflict", "", errkind.Conflict},
		{400, "NoRegisteredProviderFound", "", errkind.Invalid},
		{400, "InvalidParameter", "", errkind.Invalid},
		{400, "InvalidApiVersionParameter", "", errkind.Invalid},
		{400, "SomethingNew", "", errkind.Invalid}, // the status, when the code is unknown
		{403, "SomethingNew", "", errkind.Permission},
		{404, "SomethingNew", "", errkind.NotFound},
		{409, "SomethingNew", "", errkind.Conflict},
		{412, "SomethingNew", "", errkind.Conflict},
		{422, "SomethingNew", "", errkind.Invalid},
		{418, "SomethingNew", "", errkind.Unknown},
	} {
		t.Run(fmt.Sprintf("%d %s %s", tc.status, tc.code, tc.want), func(t *testing.T) {
			t.Parallel()
			c := open(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("x-ms-correlation-request-id", "corr-1")
				wire.Refuse(w, tc.status, tc.code, tc.message)
			})
			_, err := c.Do(t.Context(), http.MethodGet, "/subscriptions/s/resourceGroups/g", "2021-04-01", nil)
			if got := errkind.Of(err); got != tc.want {
				t.Errorf("kind %q, want %q (%v)", got, tc.want, err)
			}
			if azure.Code(err) != tc.code {
				t.Errorf("code %q", azure.Code(err))
			}
			if e, ok := errors.AsType[*errkind.Error](err); !ok || e.CorrelationID != "corr-1" || e.Op != "get" {
				t.Errorf("correlation id or operation is missing: %+v", e)
			}
			if (tc.want == errkind.Auth) != errors.Is(err, azure.ErrAuthentication) {
				t.Errorf("errors.Is(ErrAuthentication) is wrong for %v", err)
			}
		})
	}
}

func TestThrottledKind(t *testing.T) {
	t.Parallel()
	c := open(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600") // longer than anybody waits
		wire.Refuse(w, 429, "TooManyRequests", "slow down")
	})
	_, err := c.Do(t.Context(), http.MethodGet, "/subscriptions/s", "1", nil)
	if errkind.Of(err) != errkind.Throttled || c.Requests() != 1 {
		t.Errorf("%v after %d requests", err, c.Requests())
	}
}

func TestInnerDetails(t *testing.T) {
	t.Parallel()
	inner := `{"code":"QuotaExceeded","message":"the real reason"}`
	for name, body := range map[string]string{
		"template":        `{"error":{"code":"InvalidTemplateDeployment","message":"see details","details":[` + inner + `]}}`,
		"nested":          `{"error":{"code":"DeploymentFailed","message":"m","details":[{"code":"InvalidTemplateDeployment","message":"m","details":[` + inner + `]}]}}`,
		"JSON in message": `{"error":{"code":"Conflict","message":"{\"error\":{\"code\":\"QuotaExceeded\",\"message\":\"the real reason\"}}"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, func(w http.ResponseWriter, _ *http.Request) { wire.Reply(w, 400, body) })
			_, err := c.Do(t.Context(), http.MethodGet, "/subscriptions/s", "1", nil)
			if azure.Code(err) != "QuotaExceeded" || errkind.Of(err) != errkind.Quota || !strings.Contains(err.Error(), "the real reason") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	if azure.Wrap("op", "r", nil) != nil {
		t.Error("nil became an error")
	}
	for _, tc := range []struct {
		name string
		err  error
		want errkind.Kind
	}{
		{"cancelled", context.Canceled, errkind.Cancelled},
		{"deadline", context.DeadlineExceeded, errkind.Unreachable},
		{"refused", &url.Error{Op: "Get", URL: "https://x/?sig=SECRET", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}, errkind.Unreachable},
		{"unknown CA", &url.Error{Op: "Get", URL: "https://x", Err: x509.UnknownAuthorityError{}}, errkind.Unreachable},
		{"Azure CLI", errors.New("AzureCLICredential: Please run 'az login' to setup account"), errkind.Auth},
		{"own", errkind.New(errkind.Quota, "full"), errkind.Quota},
		{"unknown", errors.New("what"), errkind.Unknown},
	} {
		err := azure.Wrap("do it", "thing", tc.err)
		if got := errkind.Of(err); got != tc.want {
			t.Errorf("%s: kind %q, want %q", tc.name, got, tc.want)
		}
		if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: the address is in the error: %v", tc.name, err)
		}
		if !strings.HasPrefix(err.Error(), "do it thing: ") {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func FuzzErrorBody(f *testing.F) {
	f.Add(`{"error":{"code":"A","message":"b","details":[{"code":"C"}]}}`)
	f.Add(`{"properties":{"error":{"code":"A"}}}`)
	f.Add(`{"error":"x"}`)
	f.Fuzz(func(t *testing.T, body string) {
		c := open(t, func(w http.ResponseWriter, _ *http.Request) { wire.Reply(w, 400, body) })
		_, err := c.Do(t.Context(), http.MethodGet, "/subscriptions/s", "1", nil)
		if err == nil || errkind.Of(err) == errkind.Unknown {
			t.Errorf("a 400 gave %v", err)
		}
	})
}
