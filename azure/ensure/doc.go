// Package ensure creates resources under derived names, or uses existing ones: from an earlier interrupted run, or being
// created by another process.
package ensure
