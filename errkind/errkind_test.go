package errkind_test

import (
	"context"
	"errors"
	"fmt"
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
