package answer

import (
	"errors"
	"strings"
)

// CutShort reports whether an answer ended within its body. azcore has a type for that, but does not export it.
func CutShort(err error) bool {
	_, final := errors.AsType[interface {
		error
		NonRetriable()
	}](err)
	return final && strings.HasPrefix(err.Error(), "body download policy: ")
}
