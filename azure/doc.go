// Package azure is the only access to Azure: clouds and credentials, one HTTP pipeline for the official clients and for
// services that need a single call, long-running operations, error classes, ids, tags and the predicates on them, and the
// clock.
// Every request is counted and paced, retried where that helps, and audited when it is a write. The package has no knowledge
// of VMs or azlin's other resources.
package azure
