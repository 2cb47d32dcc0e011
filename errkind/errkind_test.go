package errkind_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
)

func TestOf(t *testing.T) {
	t.Parallel()
	quota := errkind.New(errkind.Quota, "no cores left")
	for name, test := range map[string]struct {
		err  error
		want errkind.Kind
	}{
		"nil":                                 {nil, errkind.Unknown},
		"plain":                               {errors.New("x"), errkind.Unknown},
		"direct":                              {quota, errkind.Quota},
		"wrapped":                             {fmt.Errorf("create: %w", quota), errkind.Quota},
		"the outermost decides":               {&errkind.Error{Kind: errkind.Partial, Err: quota}, errkind.Partial},
		"an unclassified layer does not hide": {&errkind.Error{Op: "x", Err: quota}, errkind.Quota},
		"joined":                              {errors.Join(errors.New("a"), quota), errkind.Quota},
		"cancelled":                           {fmt.Errorf("x: %w", context.Canceled), errkind.Cancelled},
		"deadline":                            {context.DeadlineExceeded, errkind.Unreachable},
		"a kind beats the deadline":           {&errkind.Error{Kind: errkind.Throttled, Err: context.DeadlineExceeded}, errkind.Throttled},
	} {
		if got := errkind.Of(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	class := errors.New("provisioning failed")
	err := &errkind.Error{
		Op: "create vm", Resource: "dev", Code: "SkuNotAvailable", CorrelationID: "abc",
		Class: class, Err: errors.New("not here"),
	}
	if got, want := err.Error(), "create vm dev: not here"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if !errors.Is(err, class) {
		t.Error("the class is not found by errors.Is")
	}
	repeated := &errkind.Error{Code: "Locked", Err: errors.New("Locked: by a lock")}
	if got, want := repeated.Error(), "Locked: by a lock"; got != want {
		t.Errorf("the code is said twice: %q", got)
	}
	if got := (&errkind.Error{Class: class}).Error(); got != class.Error() {
		t.Errorf("an error with only a class reads %q", got)
	}
}

// TestErrorSaysAThingOnce: operations that are wrapped in each other, ids, files and what Go says.
func TestErrorSaysAThingOnce(t *testing.T) {
	t.Parallel()
	const id = "/subscriptions/x/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/ro"
	inner := &errkind.Error{Op: "delete vm", Resource: "ro", Err: errors.New("a lock protects it")}
	_, missing := os.Open("/no/such/file")
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"the same again":             {&errkind.Error{Op: "delete vm", Resource: "ro", Err: inner}, "delete vm ro: a lock protects it"},
		"another one on it":          {&errkind.Error{Op: "launch", Resource: id, Err: inner}, "delete vm ro: a lock protects it"},
		"a layer without words":      {&errkind.Error{Op: "launch", Resource: "ro", Err: &errkind.Error{Class: errors.New("x"), Err: inner}}, "delete vm ro: a lock protects it"},
		"another one on another one": {&errkind.Error{Op: "bake", Resource: "dev", Err: inner}, "bake dev: delete vm ro: a lock protects it"},
		"an id":                      {&errkind.Error{Op: "delete vm", Resource: id, Code: "ScopeLocked", CorrelationID: "abc", Err: errors.New("no")}, "delete vm ro: no"},
		"a file":                     {&errkind.Error{Op: "read key", Resource: "/no/such/file", Err: missing}, "read key /no/such/file: no such file or directory"},
		"an interrupt":               {&errkind.Error{Op: "list vms", Err: fmt.Errorf("x: %w", context.Canceled)}, "list vms: x: interrupted"},
		"a time that is up":          {&errkind.Error{Op: "list vms", Err: context.DeadlineExceeded}, "list vms: it took too long"},
		"a connection":               {&errkind.Error{Op: "connect to", Resource: "dev", Err: errors.New("dial tcp 127.0.0.1:22: i/o timeout")}, "connect to dev: 127.0.0.1:22: no answer"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
