package answer

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// envelope is the shape of Azure's errors, as bodies and inside operations.
type envelope struct {
	Error      *detail `json:"error"`
	Properties *struct {
		Error *detail `json:"error"`
	} `json:"properties"`
	detail
}

type detail struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Target  string   `json:"target"`
	Details []detail `json:"details"`
}

// Innermost finds the code and message of the actual refusal, which templates and deployments wrap, sometimes as JSON within
// the message.
func Innermost(re *azcore.ResponseError) (code, message string) {
	d := Read(re.RawResponse)
	if d.Code == "" {
		d.Code = re.ErrorCode
	}
	for range 5 {
		inner, ok := d.unwrap()
		if !ok {
			break
		}
		d = inner
	}
	return d.Code, strings.TrimSpace(d.Message)
}

func (d detail) unwrap() (detail, bool) {
	switch strings.ToLower(d.Code) {
	case "invalidtemplatedeployment", "deploymentfailed", "resourcedeploymentfailure", "multipleerrorsoccurred":
		if len(d.Details) > 0 && d.Details[0].Code != "" {
			return d.Details[0], true
		}
	}
	if strings.HasPrefix(strings.TrimSpace(d.Message), "{") {
		var e envelope
		if json.Unmarshal([]byte(d.Message), &e) == nil && e.Error != nil && e.Error.Code != "" {
			return *e.Error, true
		}
	}
	return detail{}, false
}

// Read reads the error of a response; empty: none. The body stays readable.
func Read(resp *http.Response) detail {
	if resp == nil || resp.Body == nil {
		return detail{}
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return detail{}
	}
	return Parse(body)
}

// Parse parses the error in the body of a response or of an operation.
func Parse(body []byte) detail {
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		return detail{}
	}
	switch {
	case e.Error != nil:
		return *e.Error
	case e.Properties != nil && e.Properties.Error != nil:
		return *e.Properties.Error
	}
	return e.detail
}

// Code is the code of a refused request, from the body or the header.
func Code(resp *http.Response) string {
	if code := Read(resp).Code; code != "" {
		return code
	}
	return resp.Header.Get("x-ms-error-code")
}

// Message is Azure's message for a refused request.
func Message(resp *http.Response) string { return Read(resp).Message }

// CorrelationID is the id that Azure's support needs.
func CorrelationID(resp *http.Response) string {
	return resp.Header.Get("x-ms-correlation-request-id")
}
