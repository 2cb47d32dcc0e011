package change

import (
	"cmp"
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
)

// Store is the directory of this machine's unfinished operations. The zero value stores nothing.
type Store struct {
	Dir string
}

// List returns the unfinished operations, oldest first. An unreadable file is an error of kind Invalid that names it; the
// readable ones are returned with it.
func (s Store) List() ([]*Operation, error) {
	if s.Dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read operations: %w", err)
	}
	var all []*Operation
	var damaged []error
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".json" || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		op, err := read(filepath.Join(s.Dir, e.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist): // it ended meanwhile
		case err != nil:
			damaged = append(damaged, err)
		default:
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b *Operation) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return all, errors.Join(damaged...)
}

// Find returns the oldest unfinished operation for which wanted is true; nil: none. It reads every file; a damaged one is an
// error, because it may be the one.
func (s Store) Find(wanted func(*Operation) bool) (*Operation, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, wanted); i >= 0 {
		return all[i], nil
	}
	return nil, nil
}

// Get returns the operation with this id, or the only one whose id has this prefix or that works on the VM with this name.
// The error is NotFound, or Conflict when several match.
func (s Store) Get(id string) (*Operation, error) {
	all, damaged := s.List()
	if i := slices.IndexFunc(all, func(o *Operation) bool { return o.ID == id }); i >= 0 {
		return all[i], nil
	}
	var fit []*Operation
	for _, o := range all {
		if id != "" && (strings.HasPrefix(o.ID, id) || strings.EqualFold(o.Name, id)) {
			fit = append(fit, o)
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		ids := make([]string, len(fit))
		for n, o := range fit {
			ids[n] = fmt.Sprintf("%s (%s %s in %s)", o.ID, o.Kind, o.Name, o.Group)
		}
		return nil, errkind.New(errkind.Conflict, "operation %q: several fit: %s", id, strings.Join(ids, ", "))
	case damaged != nil:
		return nil, damaged
	}
	return nil, &errkind.Error{
		Kind: errkind.NotFound, Op: "find operation", Resource: id,
		Err: errors.New("this machine has no unfinished operation of that id or VM"), Next: errkind.Step{Action: errkind.ListOperations},
	}
}

func read(file string) (*Operation, error) {
	var op Operation
	_, err := atomicfile.Recall(file, func(data []byte) error {
		op = Operation{file: file}
		if err := json.Unmarshal(data, &op); err != nil {
			return err
		}
		if op.Version > version {
			return errNewer
		}
		if op.Version >= sealedVersion || op.Version < 1 {
			if err := atomicfile.VerifySealed(data); err != nil {
				return err
			}
		}
		if op.ID == "" || op.Kind == "" {
			return errors.New("it names no operation")
		}
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read operation: %w", err)
	case errors.Is(err, errNewer):
		return nil, errkind.New(errkind.Invalid, "operation file %s %w (version %d; this one reads up to %d): use that one, or move the file away to go on without it", file, err, op.Version, version)
	case err != nil:
		return nil, errkind.New(errkind.Invalid, "operation file %s cannot be read, nor its copy: %w; move it away to go on without it", file, err)
	}
	return &op, nil
}

var errNewer = errors.New("was written by a newer azlin")

// Save writes the operation atomically, and a copy that is read if the file is damaged.
func (s Store) Save(op *Operation, now time.Time) error {
	if s.Dir == "" {
		return nil
	}
	if op.file == "" {
		op.file = filepath.Join(s.Dir, op.ID+".json")
	}
	op.Version, op.Updated = version, now.UTC()
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("save operation: %w", err)
	}
	atomicfile.Sweep(s.Dir) // a killed process may have left a private host key in it
	data, err := json.MarshalIndent(op, "", "  ")
	if err != nil {
		return fmt.Errorf("save operation: %w", err)
	}
	if err := atomicfile.Keep(op.file, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("save operation: %w", err)
	}
	return nil
}

// Remove deletes the operation's record. An absent record is not an error.
func (s Store) Remove(op *Operation) error {
	if op.file == "" {
		return nil
	}
	atomicfile.Sweep(s.Dir)
	if err := atomicfile.Forget(op.file); err != nil {
		return fmt.Errorf("remove operation: %w", err)
	}
	return nil
}

// Replace removes the records of operations of these kinds on op's VM, and stores op instead if keep is set.
func (s Store) Replace(op *Operation, keep bool, kinds ...Kind) error {
	if err := s.RemoveAll(func(o *Operation) bool {
		return slices.Contains(kinds, o.Kind) && o.On(op.Subscription, op.Group, op.Name)
	}); err != nil || !keep {
		return err
	}
	return s.Save(op, time.Now())
}

// RemoveAll removes the records for which meant is true.
func (s Store) RemoveAll(meant func(*Operation) bool) error {
	all, err := s.List()
	if err != nil {
		return err
	}
	for _, op := range all {
		if meant(op) {
			if err := s.Remove(op); err != nil {
				return err
			}
		}
	}
	return nil
}
