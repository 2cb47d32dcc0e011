// Package keylock provides a lock per key for the goroutines of a service.
package keylock
