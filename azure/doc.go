// Package azure is the only door to Azure: clouds and credentials, one HTTP pipeline for the
// official clients and for services that need a single call, long-running operations, error
// classes, ids, tags and the predicates on them, and the clock.
//
// Everything that leaves through it is counted, paced, retried where Azure says that helps, and
// audited when it is not a read. It knows no resource of azlin's: what a VM is, package vm knows.
package azure
