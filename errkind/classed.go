package errkind

// Classed gives err the class of the module that failed, for errors.Is.
func Classed(class, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok && e.Class == nil { //nolint:errorlint // only the outermost is ours to complete
		out := *e
		out.Class = class
		return &out
	}
	return &Error{Kind: Of(err), Class: class, Err: err}
}
