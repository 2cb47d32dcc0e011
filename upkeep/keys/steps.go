package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// addTo adds the new key on a VM and signs in with it. If that fails, it removes the key again.
func (w *work) addTo(ctx context.Context, t *Target, result *KeyRotationResult) error {
	name := t.VM.Ref
	if t.Action == AskAzure {
		if err := w.step(ctx, name, "add key through Azure", func(ctx context.Context) error { return w.throughAzure(ctx, t) }); err != nil {
			return err
		}
	}
	var c *remote.Client
	err := w.step(ctx, name, "connect", func(ctx context.Context) (err error) {
		c, err = w.connect(ctx, t.host)
		return err
	})
	if c != nil {
		defer c.Close()
	}
	if err != nil {
		return err
	}
	var before []byte
	err = w.step(ctx, name, "add key", w.recorded(t, "add key", func(ctx context.Context) (err error) {
		w.touch(1)
		before, err = editAuthorized(ctx, c, func(content []byte) ([]byte, error) {
			var old ssh.PublicKey // the new key gets its options
			if had := w.present(content); len(had) > 0 {
				old = had[0]
			}
			return add(content, old, w.New.Public, w.New.Line), nil
		})
		return err
	}))
	if err != nil {
		return err
	}
	t.hadOld = w.present(before)
	err = w.step(ctx, name, "sign in with new key", func(ctx context.Context) error {
		return probe(ctx, w.withNew(t.host), w.New.Public)
	})
	if err == nil {
		result.Added = true
		return nil
	}
	if ctx.Err() != nil || lets(before, w.New.Public) {
		return err
	}
	return errors.Join(fmt.Errorf("the new key does not let in: %w", err), w.step(ctx, name, "take key back", w.recorded(t, "remove key", func(ctx context.Context) error {
		_, err := editAuthorized(ctx, c, func(content []byte) ([]byte, error) { return remove(content, w.New.Public), nil })
		if err == nil {
			w.touch(-1)
		}
		return err
	})))
}

func (w *work) touch(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.touched += n
}

// withNew offers the new key only.
func (w *work) withNew(h remote.Host) remote.Host {
	h.KeyPath, h.EarlierKeys = "", []string{w.New.Path}
	return h
}

// withOld offers the replaced keys, from their current paths.
func (w *work) withOld(h remote.Host) remote.Host {
	h.KeyPath, h.EarlierKeys = "", append([]string{w.state.OldPath, w.state.Backup}, w.earlier...)
	return h
}

// recorded runs a change through the guard.
func (w *work) recorded(t *Target, what string, do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error { return w.Reach.Guard.Change(ctx, t.VM, audit.Key, what, do) }
}

// throughAzure adds the key through Azure's agent on the VM. The agent runs one command at a time, so it waits for one that
// an interrupted rotation started.
func (w *work) throughAzure(ctx context.Context, t *Target) error {
	var out vm.CommandOutput
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		var err error
		out, err = w.Rotator.VMs.RunCommand(ctx, t.VM.Ref, addThroughAzure(t.host.User, w.New))
		if err == nil {
			break
		}
		if errkind.Of(err) != errkind.Conflict {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
	if !slices.Contains(strings.Fields(out.Stdout), "azlin-key-is-there") {
		return errkind.New(errkind.Unreachable, "Azure's agent on the VM could not add the key: %s", cmp.Or(out.Stderr, out.Stdout, "it says nothing"))
	}
	return nil
}

// removeFrom removes the old key from a VM, over a connection made with the new key, and checks that the new key can still
// sign in and the old one cannot.
func (w *work) removeFrom(ctx context.Context, t *Target, result *KeyRotationResult) error {
	name := t.VM.Ref
	var c *remote.Client
	err := w.step(ctx, name, "connect with new key", func(ctx context.Context) (err error) {
		h := w.withNew(t.host)
		h.Only = w.New.Public
		c, err = remote.Dial(ctx, h)
		return err
	})
	if c != nil {
		defer c.Close()
	}
	if err != nil {
		return err
	}
	if len(t.hadOld) > 0 {
		err := w.step(ctx, name, "remove old key", w.recorded(t, "remove key", func(ctx context.Context) error {
			before, err := editAuthorized(ctx, c, func(content []byte) ([]byte, error) {
				if !lets(content, w.New.Public) {
					return nil, errkind.New(errkind.Conflict, "somebody took the new key away; the old one stays")
				}
				for _, k := range w.replaced {
					content = remove(content, k.Public)
				}
				return content, nil
			})
			if err != nil {
				return err
			}
			if err := probe(ctx, w.withNew(t.host), w.New.Public); err != nil && ctx.Err() == nil {
				return errors.Join(fmt.Errorf("the new key no longer lets in: %w", err), w.putBack(ctx, c, before))
			}
			return context.Cause(ctx)
		}))
		if err != nil {
			return err
		}
		result.Removed = true
	}
	if err := w.step(ctx, name, "check that old key is refused", func(ctx context.Context) error { return w.refused(ctx, t) }); err != nil {
		return err
	}
	return w.step(ctx, name, "save operation", func(context.Context) error {
		w.mu.Lock()
		w.state.VMs = slices.DeleteFunc(w.state.VMs, func(id string) bool { return azure.SameID(id, t.VM.ID) })
		w.mu.Unlock()
		result.Success = true
		return w.save("remove", nil)
	})
}

// putBack restores the previous file.
func (w *work) putBack(ctx context.Context, c *remote.Client, before []byte) error {
	_, err := editAuthorized(ctx, c, func([]byte) ([]byte, error) { return before, nil })
	if err != nil {
		return fmt.Errorf("and the old authorized_keys could not be put back: %w", err)
	}
	return nil
}

// refused checks that the VM does not accept the old key from another file, such as authorized_keys2.
func (w *work) refused(ctx context.Context, t *Target) error {
	olds := t.hadOld
	if len(olds) == 0 {
		olds = []ssh.PublicKey{w.Old.Public}
	}
	for _, old := range olds {
		if err := w.refusedOne(ctx, t, old); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) refusedOne(ctx context.Context, t *Target, old ssh.PublicKey) error {
	err := probe(ctx, w.withOld(t.host), old)
	switch {
	case err == nil:
		return errkind.New(errkind.Conflict, "the new key lets in, but so does the old one, by more than ~/.ssh/authorized_keys: look at 'sudo sshd -T | grep authorizedkeys' on the VM")
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return nil // refused, or no copy of the key remains
}
