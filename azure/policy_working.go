package azure

import (
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// working reports to a waiting user that a call is in progress, including all its tries and the pauses between them.
type working func() (done func())

func (w working) Do(req *policy.Request) (*http.Response, error) {
	done := w()
	defer done()
	return req.Next()
}
