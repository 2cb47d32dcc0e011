package errkind

import "strings"

// ShortName is how a person calls a resource: the last part of an ARM id, anything else as it is.
func ShortName(resource string) string {
	if !strings.HasPrefix(resource, "/subscriptions/") {
		return resource
	}
	path, _, _ := strings.Cut(resource, "?")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Sentence is the text of err in English: what Go's standard library says in words of its own, about contexts and streams that
// ended, is put into words that a user of a command understands. It is empty for nil.
func Sentence(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	for _, w := range words() {
		text = strings.ReplaceAll(text, w.goes, w.english)
	}
	return text
}

type translation struct{ goes, english string }

// words are in the order in which they are looked for: a longer one before one that is part of it.
func words() []translation {
	return []translation{
		{"context canceled", "interrupted"},
		{"context deadline exceeded", "it took too long"},
		{"i/o timeout", "no answer in time"},
		{"unexpected EOF", "the answer ended too early"},
		{": EOF", ": the connection was closed"},
	}
}
