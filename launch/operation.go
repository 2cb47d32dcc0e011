package launch

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/remote"
)

// operation is what has to outlive the process that began a launch: the id that marks its resources in
// Azure, and the VM's host key until SSH has been verified with it. Everything else is read from Azure.
type operation struct {
	Version      int       `json:"version"`
	ID           string    `json:"id"`
	Kind         string    `json:"kind"` // "new"
	Subscription string    `json:"subscription_id"`
	Group        string    `json:"resource_group"`
	Name         string    `json:"name"`
	Created      time.Time `json:"created"` // UTC
	HostKey      struct {
		Private string `json:"private,omitempty"`
		Public  string `json:"public"`
	} `json:"host_key"`

	file string
}

const operationVersion = 1

// findOperation returns the first unfinished launch begun from this machine that is wanted, or nil.
func findOperation(dir string, wanted func(*operation) bool) (*operation, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read operations: %w", err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".json" || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		op, err := readOperation(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if wanted(op) {
			return op, nil
		}
	}
	return nil, nil
}

func readOperation(file string) (*operation, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read operation: %w", err)
	}
	op := operation{file: file}
	if err := json.Unmarshal(data, &op); err != nil {
		return nil, errkind.New(errkind.Invalid, "operation file %s cannot be read: %w; move it away to go on without it", file, err)
	}
	if op.Version > operationVersion {
		return nil, errkind.New(errkind.Invalid, "operation file %s was written by a newer azlin", file)
	}
	return &op, nil
}

// newOperation makes an operation with a host key of its own. It is on disk only after save.
func newOperation(dir, subscription, group, name string, now time.Time) (*operation, error) {
	key, err := remote.NewHostKey()
	if err != nil {
		return nil, err
	}
	op := &operation{
		Version: operationVersion, ID: strings.ToLower(rand.Text()[:16]), Kind: "new",
		Subscription: subscription, Group: group, Name: name, Created: now.UTC(),
	}
	op.HostKey.Private, op.HostKey.Public = key.Private, key.Public
	if dir != "" {
		op.file = filepath.Join(dir, op.ID+".json")
	}
	return op, nil
}

func (o *operation) save() error {
	if o.file == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(o.file), 0o700); err != nil {
		return fmt.Errorf("save operation: %w", err)
	}
	data, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return fmt.Errorf("save operation: %w", err)
	}
	if err := atomicfile.Write(o.file, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("save operation: %w", err)
	}
	return nil
}

// forgetHostKey drops the private half, once the VM has proven that it holds it.
func (o *operation) forgetHostKey() error {
	o.HostKey.Private = ""
	return o.save()
}

// finish removes the operation: nothing is left to resume.
func (o *operation) finish() error {
	if o.file == "" {
		return nil
	}
	if err := os.Remove(o.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("finish operation: %w", err)
	}
	return nil
}

// GroupOf tells in which resource group an unfinished launch of this name, begun from this machine, was
// to create its VM; empty when there is none.
func (l *Launcher) GroupOf(name string) (string, error) {
	op, err := findOperation(l.OperationsDir, func(o *operation) bool {
		return strings.EqualFold(o.Subscription, l.Target.SubscriptionID) && strings.EqualFold(o.Name, name)
	})
	if op == nil || err != nil {
		return "", err
	}
	return op.Group, nil
}

// Forget removes what this machine remembers of a VM that was deleted: an unfinished launch and its host
// key. vmID may be empty.
func (l *Launcher) Forget(ctx context.Context, group, name, vmID string) error {
	op, err := findOperation(l.OperationsDir, l.launchOf(group, name))
	if err != nil {
		return err
	}
	if op != nil {
		if err := op.finish(); err != nil {
			return err
		}
	}
	if vmID == "" {
		return nil
	}
	return l.Reach.KnownHosts.Forget(ctx, vmID)
}

// launchOf recognises the launch of one VM. Azure's names do not know case.
func (l *Launcher) launchOf(group, name string) func(*operation) bool {
	return func(o *operation) bool {
		return o.Kind == "new" && strings.EqualFold(o.Subscription, l.Target.SubscriptionID) &&
			strings.EqualFold(o.Group, group) && strings.EqualFold(o.Name, name)
	}
}
