package azure

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azlin-dev/azlin/azure/transport"
)

// content refuses an answer without content where Azure always sends a resource or a list: it came from a proxy or a captive
// portal. The SDK would treat it as an empty list.
type content struct{}

func (content) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	if req.Raw().Method != http.MethodGet || followsOperation(req.Raw().URL.Path) {
		return resp, nil
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, err
	}
	if body = bytes.TrimSpace(body); len(body) == 0 || bytes.Equal(body, []byte("null")) {
		return nil, transport.Refused("the answer is empty: is a proxy or a captive portal in between?")
	}
	transport.Turned(resp)
	return resp, nil
}

// followsOperation reports whether a request polls an operation, whose answer may have no content.
func followsOperation(path string) bool {
	path = strings.ToLower(path)
	return strings.Contains(path, "/operations/") || strings.Contains(path, "/operationresults/") || strings.Contains(path, "operationstatuses/")
}
