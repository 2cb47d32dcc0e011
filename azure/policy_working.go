package azure

import (
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// working tells somebody who waits that a call is going on, with all its tries and the pauses between them.
type working func() (done func())

func (w working) Do(req *policy.Request) (*http.Response, error) {
	done := w()
	defer done()
	return req.Next()
}
