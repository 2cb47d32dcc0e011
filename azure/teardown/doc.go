// Package teardown deletes resources in the order in which they let go of one another, looks whether they are gone, and
// reports what is left.
package teardown
