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
	Path        string    // the copy's private half; its public half where there is no private one
	Fingerprint string    // SHA256:...
	Time        time.Time // UTC, when it was made
}

// Name is what Restore takes: the name of the backup's directory.
func (b KeyBackup) Name() string { return filepath.Base(filepath.Dir(b.Path)) }

// Backups is the directory that holds copies of keys that were in use: mode 0700, files 0600. A rotation of the default
// key takes them from VMs, too.
type Backups struct {
	Dir string
}

const (
	backupFile   = "azlin_key"
	backupPrefix = "backup-"
	backupTime   = "20060102T150405.000Z"
)

// Make copies a key pair, of which path is either half. A key of which there is a copy is not copied again.
func (b Backups) Make(ctx context.Context, path string, now time.Time) (made KeyBackup, err error) {
	err = b.locked(ctx, func() error {
		made, err = b.keep(path, now)
		return err
	})
	return made, err
}

// keep is Make for who holds the lock.
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
		// One without a private half is no copy of a key that has one.
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

// make writes the copy under another name and renames it, so that there is no half of one.
func (b Backups) make(k Key, now time.Time) (KeyBackup, error) {
	if b.Dir == "" {
		return KeyBackup{}, errkind.New(errkind.Prerequisite, "there is no directory for copies of keys")
	}
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return KeyBackup{}, err
	}
	if err := os.Chmod(b.Dir, 0o700); err != nil { // it may have been made by somebody else
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

// sweep removes what a process that was killed has left.
func (b Backups) sweep() {
	stale, _ := filepath.Glob(filepath.Join(b.Dir, making+"*")) // the pattern is well-formed
	for _, dir := range stale {
		_ = os.RemoveAll(dir) // the next one tries again
	}
}

// List gives the copies, the newest first. One that cannot be read is an error, beside those that can.
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

// Find finds a copy by its name, the name's beginning, or the fingerprint; empty is the newest that is not of the key
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
		return nil // none of ours
	}
	return os.RemoveAll(dir)
}

// maxEarlier bounds the keys that are tried besides the default one.
const maxEarlier = 20

// Earlier are the keys that the default key took the place of, the newest first: what reach.Finder.EarlierKeys is for.
// defaultKey is its private half.
func (b Backups) Earlier(defaultKey string) []reach.EarlierKey {
	all, _ := b.List() // a damaged one cannot be offered
	if len(all) == 0 {
		return nil
	}
	now, _ := Public(defaultKey) // without a default key all of them are earlier ones
	var earlier []reach.EarlierKey
	for _, k := range all {
		if k.Fingerprint != now.Fingerprint && !strings.HasSuffix(k.Path, ".pub") && len(earlier) < maxEarlier {
			earlier = append(earlier, reach.EarlierKey{Path: k.Path, Until: k.Time})
		}
	}
	return earlier
}

// Restore makes a copy the default key (path of the private half) again, and returns a copy of the one that was. The
// keys that VMs accept are not touched.
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

// install makes the pair at to the one at from. The private half comes first: a pair of which only that is new lets
// whoever has it in, while the old key is in a copy.
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

// replace writes a file, or the one that a link at its place leads to.
func replace(path string, data []byte, mode fs.FileMode) error {
	path, err := atomicfile.Target(path)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, data, mode)
}

// installed reports whether both halves at path are those of key.
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

// locked lets one change of keys happen at a time on this machine.
func (b Backups) locked(ctx context.Context, f func() error) error {
	if b.Dir == "" {
		return f()
	}
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return keyError("lock keys", b.Dir, err)
	}
	return atomicfile.Locked(ctx, filepath.Join(b.Dir, "keys"), f)
}

// MarshalJSON writes the name beside the fields.
func (b KeyBackup) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name        string    `json:"name"`
		Path        string    `json:"path"`
		Fingerprint string    `json:"fingerprint"`
		Time        time.Time `json:"time"`
	}{b.Name(), b.Path, b.Fingerprint, b.Time})
}
