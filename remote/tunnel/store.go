package tunnel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/internal/owner"
)

// Store keeps a record of each tunnel that a process on this machine holds open: in a directory with the tunnel's name,
// which belongs to the process while it runs. It contains no secrets; its files have mode 0600.
type Store struct {
	Dir string
}

// Record describes a tunnel.
type Record struct {
	Name           string    `json:"name"`
	VM             string    `json:"vm"`
	ResourceGroup  string    `json:"resource_group"`
	SubscriptionID string    `json:"subscription_id"`
	Context        string    `json:"context"`
	Forwards       []Forward `json:"forwards"`
	PID            int       `json:"pid"`
	Opened         time.Time `json:"opened"` // UTC

	State
}

var recordName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$`)

// ValidateName checks the name of a tunnel, which is also the name of its directory.
func ValidateName(name string) error {
	if !recordName.MatchString(name) {
		return errkind.New(errkind.Invalid, "tunnel name %q: use 1 to 80 letters, digits, dots, - or _, with a letter or digit first", name)
	}
	return nil
}

const recordFile = "tunnel.json"

// Claim is a tunnel name held by this process.
type Claim struct {
	Name string

	dir *owner.Dir
}

// Claim takes a name for a tunnel of this process. Conflict: another process holds it.
func (s Store) Claim(name string) (*Claim, error) {
	if err := ValidateName(name); err != nil {
		return nil, err
	}
	dir, err := owner.Take(filepath.Join(s.Dir, name))
	for n := 0; errors.Is(err, owner.ErrTaken) && n < 10; n++ { // List holds each directory for a moment
		<-time.After(10 * time.Millisecond)
		dir, err = owner.Take(filepath.Join(s.Dir, name))
	}
	if errors.Is(err, owner.ErrTaken) {
		return nil, &errkind.Error{Kind: errkind.Conflict, Op: "open tunnel", Resource: name, Class: ErrTunnel, Err: errors.New("there is an open tunnel of this name"), Next: errkind.Step{Action: errkind.CloseTunnel, Name: name}}
	}
	if err != nil {
		return nil, fmt.Errorf("open tunnel %s: %w", name, err)
	}
	// The remains of an earlier process are obsolete.
	return &Claim{name, dir}, atomicfile.Forget(filepath.Join(dir.Path, recordFile))
}

// Save writes the record. It fails with fs.ErrNotExist when the tunnel's directory was removed.
func (c *Claim) Save(r Record) error {
	if _, err := os.Stat(c.dir.Path); err != nil {
		return err
	}
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return atomicfile.Keep(filepath.Join(c.dir.Path, recordFile), data, 0o600)
}

// Exists reports whether the tunnel's directory is still there.
func (c *Claim) Exists() bool {
	_, err := os.Stat(c.dir.Path)
	return err == nil
}

// Release releases the name and keeps the record, for a failed tunnel.
func (c *Claim) Release() error { return c.dir.Release() }

// Remove releases the name and removes the record.
func (c *Claim) Remove() error { return c.dir.Remove() }

// Listing is the result of List.
type Listing struct {
	Tunnels []Record // by name; those whose Phase is Failed have no process
	Killed  []Record // their processes were killed, which closed their ports; their records are now removed
}

// List reads the records, and removes those of killed processes. Unreadable records are errors; the others are returned with
// them.
func (s Store) List() (Listing, error) {
	var l Listing
	dirs, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("list tunnels: %w", err)
	}
	var errs []error
	for _, d := range dirs {
		if !d.IsDir() {
			continue
		}
		dir := filepath.Join(s.Dir, d.Name())
		r, readErr := read(dir)
		if errors.Is(readErr, fs.ErrNotExist) && justMade(d) {
			continue
		}
		left, err := owner.Left(dir)
		switch {
		case errors.Is(err, owner.ErrTaken): // its process is running
			if readErr == nil {
				l.Tunnels = append(l.Tunnels, r)
			} else if !errors.Is(readErr, fs.ErrNotExist) { // or it has just started
				errs = append(errs, readErr)
			}
		case errors.Is(err, fs.ErrNotExist): // it has just ended
		case err != nil:
			errs = append(errs, err)
		default:
			// Since it was read, its process may have recorded its end, or it may have been removed and started again.
			if r, readErr = read(dir); readErr == nil && r.Phase == Failed {
				l.Tunnels = append(l.Tunnels, r)
				errs = append(errs, left.Release())
				continue
			}
			if errs = append(errs, left.Remove()); readErr == nil {
				l.Killed = append(l.Killed, r)
			}
		}
	}
	return l, errors.Join(errs...)
}

// justMade reports whether a directory is so new that its process may not hold it yet.
func justMade(d fs.DirEntry) bool {
	info, err := d.Info()
	return err == nil && time.Since(info.ModTime()) < 10*time.Second
}

func read(dir string) (r Record, err error) {
	_, err = atomicfile.Recall(filepath.Join(dir, recordFile), func(data []byte) error {
		r = Record{}
		if err := atomicfile.VerifySealed(data); err != nil {
			return err
		}
		return json.Unmarshal(data, &r)
	})
	if err != nil {
		err = fmt.Errorf("record of the tunnel %s: %w", filepath.Base(dir), err)
	}
	return r, err
}

// goodbye is how long a tunnel's process may take to end before it is killed.
const goodbye = 10 * time.Second

// End ends a tunnel and its process, and removes its record. For a killed process only the record is removed. NotFound:
// there is no tunnel with this name.
func (s Store) End(ctx context.Context, name string) error {
	if err := ValidateName(name); err != nil {
		return err
	}
	dir := filepath.Join(s.Dir, name)
	fail := func(kind errkind.Kind, err error) error {
		return &errkind.Error{Kind: kind, Op: "close tunnel", Resource: name, Class: ErrTunnel, Err: err}
	}
	told, killed := false, false
	began := time.Now()
	for {
		left, err := owner.Left(dir)
		switch {
		case err == nil:
			return left.Remove()
		case errors.Is(err, fs.ErrNotExist) && told: // it removed the record itself
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return fail(errkind.NotFound, errors.New("there is no tunnel of this name"))
		case !errors.Is(err, owner.ErrTaken):
			return fail(errkind.Unknown, err)
		}
		late := time.Since(began) > goodbye
		if !told || late && !killed {
			// Because the directory is held, the process with the recorded PID is running.
			if r, err := read(dir); err == nil && r.PID > 0 {
				if err := end(r.PID, late); err != nil && late {
					return fail(errkind.Unknown, fmt.Errorf("its process %d cannot be ended: %w", r.PID, err))
				}
				told, killed = true, late
			} else if late {
				return fail(errkind.Unknown, errors.Join(errors.New("it is not known which process holds it"), err))
			}
		} else if time.Since(began) > 2*goodbye {
			return fail(errkind.Unknown, errors.New("its process does not end"))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// end signals a process to end, or kills it.
func end(pid int, now bool) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if now || p.Signal(syscall.SIGTERM) != nil { // Windows has no SIGTERM
		err = p.Kill()
	}
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return err
}
