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

// standInKey is a placeholder in a plan's configuration until the key has been read.
const standInKey = "ssh-ed25519 AAAA"

// checkMachine is the stage that checks this machine: required programs, and what the clone needs.
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

// readKey is the stage that reads the SSH key. A missing default key is generated in memory; Run writes it.
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

// publicKey is the public key for the VM. A key that is damaged, or has a passphrase that no agent knows, is an error before
// anything is created, because nobody could sign in.
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

// writeKey writes a key generated for the plans. If another process wrote one first, the plans use that.
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

// onlyPublic reports whether a key's private half is in an agent or on a card, so that no new key may be generated.
func onlyPublic(path string) bool {
	private := strings.TrimSuffix(path, ".pub")
	_, err := os.Stat(private)
	_, perr := os.Stat(private + ".pub")
	return errors.Is(err, fs.ErrNotExist) && perr == nil
}
