// Package errkind classifies errors, so that a program can decide what to do and the command line can choose an exit code
// and a hint.
// Hints and exit codes are defined by the command line.
package errkind

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind is the class of a failure. The zero value, Unknown, means that nothing classified it.
type Kind string

// The kinds of failure that azlin distinguishes.
const (
	Unknown      Kind = ""
	Auth         Kind = "auth"         // nobody is signed in, or the credential was refused
	Permission   Kind = "permission"   // signed in, but not allowed to do this
	NotFound     Kind = "notfound"     // the named thing does not exist
	Conflict     Kind = "conflict"     // it exists already, is in use, or is being changed by someone else
	Quota        Kind = "quota"        // the subscription's limit is reached
	Capacity     Kind = "capacity"     // Azure has no room, or does not offer this here
	Throttled    Kind = "throttled"    // too many requests
	Invalid      Kind = "invalid"      // the input is wrong; nothing was sent, or Azure refused its form
	Prerequisite Kind = "prerequisite" // a program or setting on this machine is missing
	Provisioning Kind = "provisioning" // Azure accepted the request and then failed to carry it out
	Unreachable  Kind = "unreachable"  // the network or the machine does not answer
	HostKey      Kind = "hostkey"      // the machine's host key has changed
	Partial      Kind = "partial"      // some of several things failed
	Cancelled    Kind = "cancelled"    // the caller asked to stop
)

// Error is a failure with everything a person needs to act on it. Only Err or Class is required.
type Error struct {
	Kind          Kind
	Op            string   // what was being done: "create vm"
	Resource      string   // a name or an ARM id
	Code          string   // Azure's error code, as sent
	CorrelationID string   // Azure's correlation id, for a support request
	LeftOver      []string // resources that exist because of this operation and cost money
	Next          Step     // what to do next, if it follows from the place of failure
	Class         error    // the sentinel of the module that failed, for errors.Is
	Err           error    // the cause
}

// Error is "op resource: cause", without the unknown parts. For an ARM id it uses the last part. If the cause is an
// operation on the same resource, op and resource are not repeated, and texts of Go's libraries are replaced by English ones
// (Sentence). Code and correlation id are only in their fields.
func (e *Error) Error() string {
	head := e.Op
	if e.Resource != "" {
		head = strings.TrimSpace(head + " " + ShortName(e.Resource))
	}
	cause := e.Err
	if cause == nil {
		cause = e.Class
	}
	if cause == nil {
		return head
	}
	text := Sentence(cause)
	for _, call := range []string{"open ", "stat ", "lstat ", "read ", "mkdir ", "remove "} { // a file that failed is named only once
		text = strings.TrimPrefix(text, call+e.Resource+": ")
	}
	if head == "" || text == head || strings.HasPrefix(text, head+": ") || says(cause, e.Resource) {
		return text
	}
	return head + ": " + text
}

// Unwrap returns the class and the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Class != nil {
		errs = append(errs, e.Class)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// New returns an error of the given kind with a formatted message; %w wraps as in fmt.Errorf.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Of returns the kind of the outermost classified error in err's tree. A cancelled context is Cancelled and an expired
// deadline Unreachable, unless an outer error has another kind.
func Of(err error) Kind {
	for e := range All(err) {
		if e.Kind != Unknown {
			return e.Kind
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return Cancelled
	case errors.Is(err, context.DeadlineExceeded):
		return Unreachable
	}
	return Unknown
}

// All yields every *Error in err's tree, outermost first.
func All(err error) func(yield func(*Error) bool) {
	return func(yield func(*Error) bool) { walk(err, yield) }
}

func walk(err error, yield func(*Error) bool) bool {
	if err == nil {
		return true
	}
	if e, ok := err.(*Error); ok && !yield(e) { //nolint:errorlint // the tree is walked here, level by level
		return false
	}
	switch u := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		return walk(u.Unwrap(), yield)
	case interface{ Unwrap() []error }:
		for _, child := range u.Unwrap() {
			if !walk(child, yield) {
				return false
			}
		}
	}
	return true
}
