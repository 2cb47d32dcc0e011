package arm

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// Error is what Azure answers instead of doing what it was asked. It is an error value so that
// handlers return it, and it is written in Azure's envelope.
type Error struct {
	Status  int // HTTP status
	Code    string
	Message string
	Target  string
	Details []*Error
	Info    []any       // the envelope's additionalInfo
	Header  http.Header // further headers of the reply, may be nil
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Object is the content of the envelope's "error".
func (e *Error) Object() azjson.Object {
	o := azjson.Object{"code": e.Code, "message": e.Message}
	if e.Target != "" {
		o["target"] = e.Target
	}
	if e.Details != nil {
		l := make([]any, len(e.Details))
		for i, d := range e.Details {
			l[i] = d.Object()
		}
		o["details"] = l
	}
	if e.Info != nil {
		o["additionalInfo"] = e.Info
	}
	return o
}

// Refuse makes an Error; the message is a format.
func Refuse(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// At names the property that was at fault.
func (e *Error) At(target string) *Error {
	e.Target = target
	return e
}

// Empty adds the empty list of details that Microsoft.Network always sends.
func (e *Error) Empty() *Error {
	e.Details = []*Error{}
	return e
}

// BadRequest is status 400.
func BadRequest(code, format string, args ...any) *Error {
	return Refuse(http.StatusBadRequest, code, format, args...)
}

// Conflict is status 409.
func Conflict(code, format string, args ...any) *Error {
	return Refuse(http.StatusConflict, code, format, args...)
}

// InvalidParameter refuses the value of one property.
func InvalidParameter(target, format string, args ...any) *Error {
	return BadRequest("InvalidParameter", format, args...).At(target)
}

// GroupNotFound is the 404 for a resource group.
func GroupNotFound(name string) *Error {
	return fromGateway(Refuse(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", name))
}

// NotFound is the 404 for a resource. typ and name are joined as Azure does it for child resources.
func NotFound(id resourceid.ID) *Error {
	return fromGateway(Refuse(http.StatusNotFound, "ResourceNotFound",
		"The Resource '%s/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		id.Namespace, strings.Join(interleave(id.Types, id.Names), "/"), id.Group))
}

// fromGateway marks a refusal that never reached a resource provider.
func fromGateway(e *Error) *Error {
	e.Header = http.Header{"X-Ms-Failure-Cause": {"gateway"}}
	return e
}

func interleave(a, b []string) []string {
	var l []string
	for i := range a {
		l = append(l, a[i])
		if i < len(b) {
			l = append(l, b[i])
		}
	}
	return l
}

// NotImplemented is the answer to what Azure has and this emulator has not.
func NotImplemented(method, path string) *Error {
	return Refuse(http.StatusNotImplemented, "NotImplemented", "The emulator does not implement %s %s.", method, path)
}

// LocationNotAvailable refuses a region for a type.
func LocationNotAvailable(location, typ string) *Error {
	return BadRequest("LocationNotAvailableForResourceType",
		"The provided location '%s' is not available for resource type '%s'. List of available regions for the resource type is '%s'.",
		location, typ, strings.Join(geography.Names(), ","))
}
