package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// ErrDeclined is returned when a person answers a question with no.
var ErrDeclined = &errkind.Error{Kind: errkind.Cancelled, Err: errors.New("not confirmed; nothing was changed")}

// Confirm asks a yes-or-no question on standard error. Anything but y or yes is no. Whether there is a terminal to ask on
// is the caller's to know.
func (s Streams) Confirm(ctx context.Context, question string) error {
	if _, err := fmt.Fprintf(s.Text(s.Err), "%s [y/N] ", question); err != nil {
		return err
	}
	answer, err := readLine(ctx, s.In)
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return ErrDeclined
}

// readLine waits for a line or for ctx. The goroutine that is left behind at the end of ctx ends with the
// process: a terminal read cannot be interrupted portably.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		done <- result{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case r := <-done:
		return r.line, r.err
	}
}
