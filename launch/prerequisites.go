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

// readKey is the stage in which the SSH key is read. The default one is made when there is none yet.
func (l *Launcher) readKey(display *progress.Display, plans ...*Plan) error {
	begin(display, stageKey)
	public, err := l.publicKey(plans[0])
	if err != nil {
		return failed(display, err)
	}
	for _, p := range plans {
		p.Config.SSHPublicKeys = []string{public}
	}
	if err := plans[0].Config.Validate(); err != nil {
		return failed(display, err)
	}
	_ = display.CompleteStage() // it was started above
	return nil
}

func (l *Launcher) publicKey(p *Plan) (string, error) {
	path := p.Config.SSHKeyPath
	if path == l.Defaults.KeyPath && path != "" && !onlyPublic(path) {
		path = strings.TrimSuffix(path, ".pub")
		if _, err := keypair.GenerateKeyPair(filepath.Dir(path), filepath.Base(path)); err != nil {
			return "", err
		}
	}
	_, public, err := keypair.At(path)
	return public, err
}

// onlyPublic reports whether a key's private half is elsewhere, in an agent or on a card, so that none is to be made.
func onlyPublic(path string) bool {
	private := strings.TrimSuffix(path, ".pub")
	_, err := os.Stat(private)
	_, perr := os.Stat(private + ".pub")
	return errors.Is(err, fs.ErrNotExist) && perr == nil
}
