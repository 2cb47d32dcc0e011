package launch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/azlin-dev/azlin/local/prereq"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// standInKey is in a plan's configuration until the key has been read.
const standInKey = "ssh-ed25519 AAAA"

// checkMachine is the stage in which it is found out what this machine lacks for the launch: programs, and what the
// clone needs of it.
func (l *Launcher) checkMachine(ctx context.Context, r Request, display *progress.Display) error {
	begin(display, stagePrerequisites)
	if err := prereq.CheckAll(r.Needs...); err != nil {
		return failed(display, err)
	}
	if r.Repository != nil {
		if err := r.Repository.Check(ctx, l.Access); err != nil {
			return failed(display, err)
		}
	}
	_ = display.CompleteStage() // it was started above
	return nil
}

// readKey is the stage in which the SSH key is read. A default key that is not there is made in memory; Run writes it.
func (l *Launcher) readKey(ctx context.Context, display *progress.Display, plans ...*Plan) error {
	begin(display, stageKey)
	public, draft, err := l.publicKey(ctx, plans[0].Config.SSHKeyPath)
	if err != nil {
		return failed(display, err)
	}
	for _, p := range plans {
		p.Config.SSHPublicKeys, p.key = []string{public}, draft
	}
	if err := plans[0].Config.Validate(); err != nil {
		return failed(display, err)
	}
	_ = display.CompleteStage() // it was started above
	return nil
}

// publicKey is the line that the VM is to have. Nobody could sign in to a VM with a key that is damaged, or locked by a
// passphrase that no agent knows, so that it is an error before anything is made.
func (l *Launcher) publicKey(ctx context.Context, path string) (string, *keypair.Draft, error) {
	private := strings.TrimSuffix(path, ".pub")
	var draft *keypair.Draft
	if path == l.Defaults.KeyPath && path != "" && !onlyPublic(path) {
		var err error
		if draft, err = keypair.Prepare(filepath.Dir(private), filepath.Base(private)); err != nil {
			return "", nil, err
		}
		if draft.New {
			return draft.Line, draft, nil
		}
	}
	k, err := keypair.Read(ctx, path, l.Reach.AgentSocket)
	if err != nil {
		return "", nil, err
	}
	if !onlyPublic(path) {
		if err := keypair.CheckHalves(path); err != nil {
			return "", nil, err
		}
	}
	return k.Line, draft, nil
}

// writeKey writes a key that was made for the plans; if another process was faster, its key takes the place.
func writeKey(plans ...*Plan) error {
	if len(plans) == 0 || plans[0].key == nil {
		return nil
	}
	key := plans[0].key
	if err := key.Save(); err != nil {
		return err
	}
	for _, p := range plans {
		p.Config.SSHPublicKeys, p.key = []string{key.Line}, nil
	}
	return nil
}

// onlyPublic reports whether a key's private half is elsewhere, in an agent or on a card, so that none is to be made.
func onlyPublic(path string) bool {
	private := strings.TrimSuffix(path, ".pub")
	_, err := os.Stat(private)
	_, perr := os.Stat(private + ".pub")
	return errors.Is(err, fs.ErrNotExist) && perr == nil
}
