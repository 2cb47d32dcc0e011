package keys

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote/keypair"
)

// KeyBackup is a copy of a key pair.
type KeyBackup struct {
	Path        string    // the copy's private half; its public half if there is no private one
	Fingerprint string    // SHA256:...
	Time        time.Time // UTC, when it was copied
}

// Name is what Restore takes: the name of the backup's directory.
func (b KeyBackup) Name() string { return filepath.Base(filepath.Dir(b.Path)) }

// Backups is a directory with copies of former keys: mode 0700, files 0600. A rotation of the default key also removes these
// keys from VMs.
type Backups struct {
	Dir string
}

const (
	backupFile   = "azlin_key"
	backupPrefix = "backup-"
	backupTime   = "20060102T150405.000Z"
)

// Make copies a key pair, of which path is either half. A key that is already copied is not copied again.
func (b Backups) Make(ctx context.Context, path string, now time.Time) (made KeyBackup, err error) {
	err = b.locked(ctx, func() error {
		made, err = b.keep(path, now)
		return err
	})
	return made, err
}

// keep is Make for a caller that holds the lock.
func (b Backups) keep(path string, now time.Time) (KeyBackup, error) {
	k, err := Public(path)
	if err != nil {
		return KeyBackup{}, keyError("back up key", path, err)
	}
	all, err := b.List()
	if err != nil {
		return KeyBackup{}, err
	}
	for _, have := range all {
		// A copy without the private half does not count if the key has one.
		if have.Fingerprint == k.Fingerprint && strings.HasSuffix(have.Path, ".pub") == strings.HasSuffix(k.Path, ".pub") {
			return have, nil
		}
	}
	made, err := b.make(k, now)
	if err != nil {
		return made, keyError("back up key", path, err)
	}
	return made, nil
}

// make writes the copy under a temporary name and renames it, so that no partial copy exists.
func (b Backups) make(k Key, now time.Time) (KeyBackup, error) {
	if b.Dir == "" {
		return KeyBackup{}, errkind.New(errkind.Prerequisite, "there is no directory for copies of keys")
	}
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return KeyBackup{}, err
	}
	if err := os.Chmod(b.Dir, 0o700); err != nil { // it may have been created with another mode
		return KeyBackup{}, err
	}
	b.sweep()
	temporary, err := os.MkdirTemp(b.Dir, making) // of mode 0700
	if err != nil {
		return KeyBackup{}, err
	}
	defer func() { _ = os.RemoveAll(temporary) }() // sweep would
	file := backupFile
	if !strings.HasSuffix(k.Path, ".pub") {
		data, err := atomicfile.Read(k.Path)
		if err != nil {
			return KeyBackup{}, err
		}
		if err := atomicfile.Write(filepath.Join(temporary, file), data, 0o600); err != nil {
			return KeyBackup{}, err
		}
	} else {
		file += ".pub"
	}
	if err := atomicfile.Write(filepath.Join(temporary, backupFile+".pub"), []byte(k.Line+"\n"), 0o600); err != nil {
		return KeyBackup{}, err
	}
	dir := filepath.Join(b.Dir, backupPrefix+now.UTC().Format(backupTime))
	if err := os.Rename(temporary, dir); err != nil {
		return KeyBackup{}, err
	}
	return KeyBackup{Path: filepath.Join(dir, file), Fingerprint: k.Fingerprint, Time: now.UTC().Truncate(time.Millisecond)}, nil
}

const making = ".making-"

// sweep removes the remains of killed processes.
func (b Backups) sweep() {
	stale, _ := filepath.Glob(filepath.Join(b.Dir, making+"*")) // the pattern is well-formed
	for _, dir := range stale {
		_ = os.RemoveAll(dir) // retried by the next sweep
	}
}

// List returns the copies, newest first. Copies that cannot be read are an error, returned together with the readable ones.
func (b Backups) List() ([]KeyBackup, error) {
	if b.Dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(b.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, keyError("read copies of keys", b.Dir, err)
	}
	var all []KeyBackup
	var damaged []error
	for _, e := range entries {
		stamp, ok := strings.CutPrefix(e.Name(), backupPrefix)
		at, terr := time.Parse(backupTime, stamp)
		if !ok || terr != nil || !e.IsDir() {
			continue
		}
		k, err := Public(filepath.Join(b.Dir, e.Name(), backupFile))
		if err != nil {
			damaged = append(damaged, keyError("read copy of key", filepath.Join(b.Dir, e.Name()), err))
			continue
		}
		all = append(all, KeyBackup{Path: k.Path, Fingerprint: k.Fingerprint, Time: at.UTC()})
	}
	slices.SortFunc(all, func(x, y KeyBackup) int { return cmp.Or(y.Time.Compare(x.Time), cmp.Compare(x.Path, y.Path)) })
	return all, errors.Join(damaged...)
}

// Find finds a copy by its name, a prefix of the name, or the fingerprint. Empty means the newest copy, except of the key
// with the fingerprint besides.
func (b Backups) Find(name, besides string) (KeyBackup, error) {
	all, err := b.List()
	var fit []KeyBackup
	for _, k := range all {
		switch {
		case name == "" && k.Fingerprint != besides:
			return k, nil
		case name != "" && (k.Name() == name || k.Fingerprint == name):
			return k, nil
		case name != "" && strings.HasPrefix(strings.TrimPrefix(k.Name(), backupPrefix), strings.TrimPrefix(name, backupPrefix)):
			fit = append(fit, k)
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return KeyBackup{}, keyError("find copy of key", name, errkind.New(errkind.Conflict, "%d copies begin so", len(fit)))
	case err != nil:
		return KeyBackup{}, err
	}
	none := "there is none"
	if name == "" && len(all) > 0 {
		none = "there are copies of the present key only"
	}
	return KeyBackup{}, &errkind.Error{
		Kind: errkind.NotFound, Op: "find copy of key", Resource: name, Class: ErrRotation,
		Err: errors.New(none), Next: errkind.Step{Action: errkind.ListCopies},
	}
}

// forget deletes a copy.
func (b Backups) forget(path string) error {
	dir := filepath.Dir(path)
	if filepath.Dir(dir) != filepath.Clean(b.Dir) || !strings.HasPrefix(filepath.Base(dir), backupPrefix) {
		return nil // not one of our copies
	}
	return os.RemoveAll(dir)
}

// maxEarlier limits how many earlier keys are tried in addition to the default one.
const maxEarlier = 20

// Earlier returns the keys that the default key replaced, newest first, for reach.Finder.EarlierKeys. defaultKey is the path
// of its private half.
func (b Backups) Earlier(defaultKey string) []reach.EarlierKey {
	all, _ := b.List() // damaged copies cannot be offered
	if len(all) == 0 {
		return nil
	}
	now, _ := Public(defaultKey) // without a default key, all are earlier keys
	var earlier []reach.EarlierKey
	for _, k := range all {
		if k.Fingerprint != now.Fingerprint && !strings.HasSuffix(k.Path, ".pub") && len(earlier) < maxEarlier {
			earlier = append(earlier, reach.EarlierKey{Path: k.Path, Until: k.Time})
		}
	}
	return earlier
}

// Restore makes a copy the default key (path of the private half) again, and returns a copy of the replaced key. The keys
// that VMs accept are not changed.
func (b Backups) Restore(ctx context.Context, from KeyBackup, defaultKey string, now time.Time) (before KeyBackup, err error) {
	if strings.HasSuffix(from.Path, ".pub") {
		return before, keyError("restore key", from.Name(), errors.New("this copy has no private half: it was with an agent"))
	}
	err = b.locked(ctx, func() error {
		if _, err := Public(defaultKey); err == nil {
			if before, err = b.keep(defaultKey, now); err != nil {
				return err
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return keyError("restore key", from.Name(), fmt.Errorf("the present key %s cannot be read, and so not be kept: %w", defaultKey, err))
		}
		return install(from.Path, defaultKey)
	})
	return before, err
}

// install replaces the pair at to by the pair at from. The private half is written first: if only that is new, it still
// signs in, and the old key has a copy.
func install(from, to string) error {
	k, err := Public(from)
	if err != nil {
		return keyError("install key", to, err)
	}
	data, err := atomicfile.Read(k.Path)
	if err != nil {
		return keyError("install key", to, err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return keyError("install key", to, err)
	}
	if err := replace(to, data, 0o600); err != nil {
		return keyError("install key", to, err)
	}
	if err := replace(to+".pub", []byte(k.Line+"\n"), 0o644); err != nil {
		return keyError("install key", to+".pub", err)
	}
	return nil
}

// replace writes a file; if it is a link, it writes the link's target.
func replace(path string, data []byte, mode fs.FileMode) error {
	path, err := atomicfile.Target(path)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, data, mode)
}

// installed reports whether both halves at path belong to key.
func installed(path string, key Key) bool {
	k, err := Public(path)
	if err != nil || !keypair.Same(k.Public, key.Public) {
		return false
	}
	data, err := atomicfile.Read(path + ".pub")
	if err != nil {
		return false
	}
	beside, err := keypair.Parse(path, string(data))
	return err == nil && keypair.Same(beside.Public, key.Public)
}

// locked runs f while no other process on this machine changes keys.
func (b Backups) locked(ctx context.Context, f func() error) error {
	if b.Dir == "" {
		return f()
	}
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return keyError("lock keys", b.Dir, err)
	}
	return atomicfile.Locked(ctx, filepath.Join(b.Dir, "keys"), f)
}

// MarshalJSON adds the name to the fields.
func (b KeyBackup) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name        string    `json:"name"`
		Path        string    `json:"path"`
		Fingerprint string    `json:"fingerprint"`
		Time        time.Time `json:"time"`
	}{b.Name(), b.Path, b.Fingerprint, b.Time})
}
