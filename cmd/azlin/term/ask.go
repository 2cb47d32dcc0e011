package term

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/azlin-dev/azlin/errkind"
)

// Ask asks for a line on standard error and returns it without the spaces around it; an empty answer is the
// proposal. Without a terminal it is an error that names the flag to give instead.
func (s Streams) Ask(ctx context.Context, question, proposal, flag string) (string, error) {
	if !s.InTTY {
		return "", errkind.New(errkind.Invalid, "%s: there is no terminal to ask on: give %s", question, flag)
	}
	if proposal != "" {
		question += " [" + Clean(proposal) + "]"
	}
	if _, err := fmt.Fprintf(s.Text(s.Err), "%s: ", question); err != nil {
		return "", err
	}
	answer, err := readLine(ctx, s.In)
	return cmp.Or(answer, proposal), err
}

// Choose shows numbered choices and returns the index of the one that was chosen by its number. It asks
// again until the answer is one of them.
func (s Streams) Choose(ctx context.Context, question string, choices []string, flag string) (int, error) {
	if s.InTTY {
		for n, c := range choices {
			if _, err := fmt.Fprintf(s.Text(s.Err), "  %2d  %s\n", n+1, Clean(c)); err != nil {
				return 0, err
			}
		}
	}
	for {
		answer, err := s.Ask(ctx, question, "1", flag)
		if err != nil {
			return 0, err
		}
		if n, err := strconv.Atoi(answer); err == nil && 1 <= n && n <= len(choices) {
			return n - 1, nil
		}
		if _, err := fmt.Fprintf(s.Text(s.Err), "%q is not a number from 1 to %d\n", Clean(answer), len(choices)); err != nil {
			return 0, err
		}
	}
}
