package setup

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

const defaultEditor = "vi"

func newConfigEditCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "edit",
		Short: "Edit the configuration in your editor",
		Long: `Opens a draft of config.toml in $VISUAL, $EDITOR or vi. azlin replaces the file when the editor exits without error and
the draft is valid. Otherwise the file does not change, and the draft is kept for the next 'azlin config edit'.`,
		Example: "  azlin config edit\n  EDITOR='code --wait' azlin config edit",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.Paths.Ensure(); err != nil {
				return err
			}
			draft := a.Paths.Config + ".draft"
			// Whoever edits holds the lock as long as the editor is open; a second one is told at once.
			ctx, cancel := context.WithTimeoutCause(cmd.Context(), 200*time.Millisecond, errkind.New(errkind.Conflict, "somebody edits %s already", draft))
			defer cancel()
			err := atomicfile.Locked(ctx, draft, func() error { return a.editDraft(cmd.Context(), draft) })
			if errors.Is(err, context.DeadlineExceeded) && cmd.Context().Err() == nil {
				return context.Cause(ctx)
			}
			return err
		},
	}
}

func (a Commands) editDraft(ctx context.Context, draft string) error {
	file := a.ConfigFile()
	old, err := file.Read()
	if err != nil {
		return err
	}
	switch _, err := os.Stat(draft); {
	case err == nil:
		a.Say("going on with the draft in " + draft)
	case errors.Is(err, fs.ErrNotExist):
		if err := atomicfile.Write(draft, old, 0o600); err != nil {
			return err
		}
	default:
		return err
	}
	if err := a.runEditor(ctx, draft); err != nil {
		return err
	}
	text, err := atomicfile.Read(draft)
	if err != nil {
		return fmt.Errorf("read what the editor wrote: %w", err)
	}
	if bytes.Equal(text, old) {
		a.Say("nothing was changed")
	} else if err := file.Replace(ctx, draft, old, text); err != nil {
		return &errkind.Error{
			Err: fmt.Errorf("%w; the configuration is unchanged, and your text is kept in that file", err), Next: errkind.Step{Action: errkind.EditConfig},
		}
	}
	return os.Remove(draft)
}

// runEditor runs the editor on name, without a shell.
func (a Commands) runEditor(ctx context.Context, name string) error {
	editor := cmp.Or(a.Env.Editor, defaultEditor)
	words := []string{editor}
	if _, err := exec.LookPath(editor); err != nil { // or it is one program whose path has spaces
		words = strings.Fields(editor)
	}
	if len(words) == 0 {
		words = []string{defaultEditor}
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return errkind.New(errkind.Prerequisite, "the editor %s is not there: set VISUAL or EDITOR", words[0])
	}
	if err := a.RunInteractive(ctx, a.Environ, path, append(words[1:], name)...); err != nil {
		return fmt.Errorf("the editor %s: %w; the configuration stays as it was, and your text is kept in %s", words[0], err, name)
	}
	return nil
}
