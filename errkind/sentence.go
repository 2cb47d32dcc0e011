package errkind

import (
	"regexp"
	"strings"
)

// ShortName is a resource's name for messages: the last part of an ARM id, anything else unchanged.
func ShortName(resource string) string {
	if !strings.HasPrefix(resource, "/subscriptions/") {
		return resource
	}
	path, _, _ := strings.Cut(resource, "?")
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Sentence is the text of err in English: texts of Go's libraries about contexts, connections, numbers and programs are
// replaced by ones that a user understands. It is empty for nil.
func Sentence(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	for _, w := range words {
		text = w.foreign.ReplaceAllString(text, w.english)
	}
	return text
}

// words are tried in this order.
var words = []struct {
	foreign *regexp.Regexp
	english string
}{
	{regexp.MustCompile(`context canceled|interrupt signal received|terminated signal received`), "interrupted"},
	{regexp.MustCompile(`context deadline exceeded`), "it took too long"},
	{regexp.MustCompile(`ssh: handshake failed: `), ""},
	{regexp.MustCompile(`(?:dial|read|write) (?:tcp|udp|unix)[46]? (?:\S+->)?(\S+): (?:(?:connect|read|write): )?`), "$1: "},
	{regexp.MustCompile(`(?:dial (?:tcp|udp): )?lookup (\S+?)(?: on \S+)?: no such host`), "no server is called $1"},
	{regexp.MustCompile(`i/o timeout`), "no answer"},
	{regexp.MustCompile(`\b(?:unexpected )?EOF\b`), "the connection was closed"},
	{regexp.MustCompile(`strconv\.\w+: parsing ("[^"]*"): value out of range`), "$1 is too large"},
	{regexp.MustCompile(`strconv\.\w+: parsing ("[^"]*"): [a-z ]+`), "$1 is not a number"},
	{regexp.MustCompile(`exec: "([^"]*)": executable file not found in (?:\$PATH|%PATH%)`), "$1 is not installed"},
	{regexp.MustCompile(`\bexit status (\d+)`), "exit code $1"},
}

// says reports whether err begins with an operation on the resource.
func says(err error, resource string) bool {
	if resource == "" || err == nil {
		return false
	}
	e, ok := err.(*Error) //nolint:errorlint // only what begins the text counts
	if !ok {
		u, wraps := err.(interface{ Unwrap() error })
		return wraps && u.Unwrap() != nil && u.Unwrap().Error() == err.Error() && says(u.Unwrap(), resource)
	}
	switch {
	case e.Op == "" && e.Resource == "":
		return says(e.Err, resource)
	}
	head := strings.TrimSpace(e.Op + " " + ShortName(e.Resource))
	return e.Op != "" && strings.HasSuffix(head, " "+ShortName(resource))
}
