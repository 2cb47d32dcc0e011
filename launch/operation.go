package launch

import (
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

// of reports whether the operation is the launch of this VM. Azure's names do not know case.
func (o *operation) of(subscription, group, name string) bool {
	return o.Kind == "new" && strings.EqualFold(o.Subscription, subscription) &&
		strings.EqualFold(o.Group, group) && strings.EqualFold(o.Name, name)
}

// findOperation returns the unfinished launch of a VM that was begun from this machine, or nil.
func findOperation(dir, subscription, group, name string) (*operation, error) {
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
		if op.of(subscription, group, name) {
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
