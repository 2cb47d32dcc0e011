package answer

import (
	"errors"
	"strings"
)

// CutShort says whether an answer ended in the middle of its body. azcore has a type for that, but keeps it to itself.
func CutShort(err error) bool {
	_, final := errors.AsType[interface {
		error
		NonRetriable()
	}](err)
	return final && strings.HasPrefix(err.Error(), "body download policy: ")
}
