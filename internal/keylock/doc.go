// Package keylock serialises work on one thing among the goroutines of a service.
package keylock
