//go:build !linux

package term

// DiscardTyped does nothing: only on Linux is there one way to forget what was typed.
func (Streams) DiscardTyped() {}
