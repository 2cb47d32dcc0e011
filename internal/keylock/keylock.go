package keylock

import (
	"context"
	"sync"
)

// Locks is a lock per key. Unlike for a mutex, waiting ends with the context. The zero value is ready for use.
type Locks struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

// Lock waits for the lock of key; unlock must be called when err is nil.
func (k *Locks) Lock(ctx context.Context, key string) (unlock func(), err error) {
	k.mu.Lock()
	if k.held == nil {
		k.held = map[string]chan struct{}{}
	}
	turn := k.held[key]
	if turn == nil {
		turn = make(chan struct{}, 1)
		k.held[key] = turn
	}
	k.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
