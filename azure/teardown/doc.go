// Package teardown deletes resources in the order of their dependencies, verifies that they are gone, and reports what is
// left.
package teardown
