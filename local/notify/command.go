package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// program splits the command into words and looks up its program.
func (n *Notifier) program() ([]string, error) {
	words := strings.Fields(n.config.Command)
	if len(words) == 0 {
		return nil, errors.New("the notification command is empty")
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return nil, err
	}
	return append([]string{path}, words[1:]...), nil
}

// run passes the message to the command as its last argument. A message that looks like an option gets a space in front.
func (n *Notifier) run(ctx context.Context, message string) error {
	words, err := n.program()
	if err != nil {
		return err
	}
	if strings.HasPrefix(message, "-") {
		message = " " + message
	}
	cmd := exec.CommandContext(ctx, words[0], append(words[1:], message)...)
	cmd.WaitDelay = n.config.Timeout // a grandchild that keeps the output open must not block us
	out, err := cmd.CombinedOutput()
	if err != nil {
		if said := bytes.TrimSpace(out[:min(len(out), 200)]); len(said) > 0 {
			return fmt.Errorf("%w: %s", err, said)
		}
		return err
	}
	return nil
}
