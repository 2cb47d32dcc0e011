// Package journal keeps a state in a directory as a snapshot and a journal of what changed since. What was appended
// survives a crash at any instant, and damage to any one file: the journal is kept twice, and of snapshots the one before
// the last is kept with all that followed it.
package journal
