package bastion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/internal/owner"
)

// records are this process's session files: a directory with a lock that is released when the process ends.
type records struct {
	dir string // of all processes; empty: no records

	mu   sync.Mutex
	own  *owner.Dir
	open int
}

// record is the file of one session. Its content is secret while the session exists.
type record struct {
	records *records
	path    string
}

// recorded is the data needed to end a session.
type recorded struct {
	Host    string    `json:"host"`
	Auth    string    `json:"auth_token"`
	Node    string    `json:"node_id"`
	Target  string    `json:"target"`
	Bastion string    `json:"bastion"`
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
}

// remember records the session of new tokens. If that fails, the session is used anyway.
func (x *Session) remember(host string, t tokens) {
	old := x.record
	x.record = x.service.records.add(recorded{
		Host: host, Auth: t.Auth, Node: t.Node, Target: x.target.name(), Bastion: x.bastion.ID, PID: os.Getpid(), Since: time.Now().UTC(),
	})
	old.remove()
}

func (r *records) add(e recorded) *record {
	if r.dir == "" {
		return nil
	}
	data, err := json.Marshal(e)
	if err != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.own == nil {
		if r.own, err = owner.Take(filepath.Join(r.dir, uuid.NewString())); err != nil {
			return nil
		}
	}
	path := filepath.Join(r.own.Path, uuid.NewString()+".json")
	if err := atomicfile.Keep(path, data, 0o600); err != nil {
		return nil
	}
	r.open++
	return &record{r, path}
}

// remove deletes the file; with the last file it also deletes the process's directory.
func (c *record) remove() {
	if c == nil {
		return
	}
	r := c.records
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := atomicfile.Forget(c.path); err != nil {
		return // left to another process's clean-up
	}
	if r.open--; r.open > 0 {
		return
	}
	_ = r.own.Remove() // as above
	r.own = nil
}

// Sweep is the result of a clean-up.
type Sweep struct {
	Ended  int     `json:"ended"`  // sessions of ended processes
	Failed int     `json:"failed"` // sessions the Bastion did not end; the next clean-up retries
	Errs   []error `json:"-"`
}

// forgotten is the age from which a record is dropped even if its Bastion fails: the session has long ended by itself.
const forgotten = 24 * time.Hour

// Sweep ends the sessions that killed processes left at Bastions, and removes their records. Sessions of running processes
// are kept. On this machine, a killed process leaves only records; its local ports were closed with it.
func (s *Service) Sweep(ctx context.Context) (Sweep, error) {
	var done Sweep
	if s.records.dir == "" {
		return done, nil
	}
	dirs, err := os.ReadDir(s.records.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return done, nil
	}
	if err != nil {
		return done, err
	}
	for _, d := range dirs {
		if d.IsDir() {
			s.sweepProcess(ctx, filepath.Join(s.records.dir, d.Name()), &done)
		}
	}
	return done, ctx.Err()
}

func (s *Service) sweepProcess(ctx context.Context, dir string, done *Sweep) {
	own, err := owner.Left(dir)
	if err != nil {
		return // its process is running
	}
	defer func() { _ = own.Release() }()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return
	}
	left := 0
	for _, f := range files {
		var e recorded
		_, err := atomicfile.Recall(f, func(data []byte) error {
			e = recorded{}
			if err := atomicfile.VerifySealed(data); err != nil {
				return err
			}
			if err := json.Unmarshal(data, &e); err != nil {
				return err
			}
			if e.Host == "" {
				return errors.New("it names no Bastion")
			}
			return nil
		})
		switch {
		case errors.Is(err, fs.ErrNotExist): // another clean-up removed it first
		case err != nil:
			// Its session ends by itself; nothing else can be done.
			done.Errs = append(done.Errs, fmt.Errorf("record %s of a session at a Bastion cannot be read, nor its copy: %w", f, err))
		default:
			if host, err := parseHost(e.Host); err == nil {
				err := s.revoke(ctx, host, e.Auth, e.Node)
				if err != nil && time.Since(e.Since) < forgotten {
					done.Failed++
					done.Errs = append(done.Errs, err)
					left++
					continue
				}
				done.Ended++
			}
		}
		if err := atomicfile.Forget(f); err != nil {
			left++
		}
	}
	if left == 0 {
		_ = own.Remove() // the next clean-up finds what stays
	}
}
