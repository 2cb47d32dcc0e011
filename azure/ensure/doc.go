// Package ensure makes resources under names that follow from what they are for, or takes those that are there: of an
// earlier run that was cut off, or of another process that is making them.
package ensure
