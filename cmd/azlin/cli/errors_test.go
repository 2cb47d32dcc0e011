package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want int
	}{
		{errors.New("x"), 1},
		{errkind.New(errkind.Invalid, "x"), 2},
		{errkind.New(errkind.Prerequisite, "x"), 2},
		{errkind.New(errkind.Auth, "x"), 3},
		{errkind.New(errkind.Permission, "x"), 3},
		{errkind.New(errkind.Provisioning, "x"), 4},
		{errkind.New(errkind.Unreachable, "x"), 5},
		{errkind.New(errkind.HostKey, "x"), 5},
		{&errkind.Error{Kind: errkind.Permission, Class: remote.ErrConnection}, 5}, // a refused SSH key is no sign-in
		{errkind.New(errkind.NotFound, "x"), 6},
		{errkind.New(errkind.Conflict, "x"), 7},
		{errkind.New(errkind.Quota, "x"), 8},
		{errkind.New(errkind.Capacity, "x"), 8},
		{errkind.New(errkind.Throttled, "x"), 8},
		{errkind.New(errkind.Partial, "x"), 9},
		{errkind.New(errkind.Cancelled, "x"), 130},
		{fmt.Errorf("x: %w", context.Canceled), 130},
	} {
		if got := app.ExitCode(test.err); got != test.want {
			t.Errorf("%v (%s): got %d, want %d", test.err, errkind.Of(test.err), got, test.want)
		}
		if !strings.Contains(exitCodesText, fmt.Sprintf("%5d   ", test.want)) {
			t.Errorf("exit code %d is not in 'azlin help exit-codes'", test.want)
		}
	}
}

// TestHints checks that every entry is reached: its sample, or an error with just its fields, finds it and
// no entry before it.
func TestHints(t *testing.T) {
	t.Parallel()
	hints, err := app.LoadHints()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hints {
		if h.Hint == "" || h.Kind == "" && h.Code == "" && h.Contains == "" {
			t.Errorf("an entry says nothing or matches everything: %+v", h)
		}
		message := h.Sample
		if message == "" {
			message = h.Contains
		}
		if got := app.HintFor(app.Failure{Kind: h.Kind, Code: h.Code, Message: message}); got != strings.TrimSpace(h.Hint) {
			t.Errorf("%+v is hidden by an entry before it, which says %q", h, got)
		}
	}
}

// TestAzuresErrorsTeach: what Azure says, and what azlin makes of it.
func TestAzuresErrorsTeach(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  *errkind.Error
		code int
		hint string
	}{
		{errkind.New(errkind.Auth, "AADSTS7000215: Invalid client secret provided"), 3, "client secret is wrong"},
		{&errkind.Error{Kind: errkind.Auth, Code: "ExpiredAuthenticationToken"}, 3, "sign in again"},
		{&errkind.Error{Kind: errkind.Invalid, Code: "NoRegisteredProviderFound"}, 2, "API version"},
		{&errkind.Error{Kind: errkind.NotFound, Code: "ResourceGroupNotFound"}, 6, "azlin new -g"},
		{&errkind.Error{Kind: errkind.Permission, Code: "AuthorizationFailed"}, 3, "Contributor"},
		{&errkind.Error{Kind: errkind.Conflict, Code: "ScopeLocked"}, 7, "az lock delete"},
		{&errkind.Error{Kind: errkind.Capacity, Code: "SkuNotAvailable"}, 8, "--size or --region"},
	} {
		f := app.Describe(fmt.Errorf("list: %w", &errkind.Error{Op: "x", CorrelationID: "abc", Err: test.err}))
		if f.ExitCode != test.code || f.Kind != test.err.Kind || f.Code != test.err.Code || f.CorrelationID != "abc" || !strings.Contains(f.Hint, test.hint) {
			t.Errorf("%v: got %+v", test.err, f)
		}
	}
}

// TestEveryStepIsACommand: what the library suggests is worded as a command line that the tree knows, with its flags.
func TestEveryStepIsACommand(t *testing.T) {
	t.Parallel()
	full := errkind.Step{VM: "dev", Group: "team", Region: "westus2", Name: "thing", Size: "Standard_D2s_v5", Count: 2, Command: "ps -ef"}
	for _, action := range app.Worded() {
		step := full
		step.Action = action
		for _, s := range []errkind.Step{step, {Action: action}} {
			line := app.WordStep(s)
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "azlin" {
				t.Errorf("%s: %q is no command of azlin's", action, line)
				continue
			}
			cmd, rest, err := Root().Find(words[1:])
			if err != nil || !cmd.Runnable() || cmd.Name() == "azlin" {
				t.Errorf("%s: %q is not in the tree: %v", action, line, err)
				continue
			}
			for _, w := range rest {
				if w == "--" {
					break
				}
				if name, ok := strings.CutPrefix(w, "--"); ok && cmd.Flag(name) == nil {
					t.Errorf("%s: %q: there is no flag %s", action, line, w)
				}
			}
		}
	}
	if line := app.WordStep(errkind.Step{Action: errkind.Run, Command: "az login"}); line != "az login" {
		t.Errorf("a command line became %q", line)
	}
	if line := app.WordStep(errkind.Step{}); line != "" {
		t.Errorf("nothing became %q", line)
	}
}
