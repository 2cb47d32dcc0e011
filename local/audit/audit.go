// Package audit keeps the record of every change azlin makes: an append-only file of JSON lines in which each line contains
// the hash of the line before it, so that edited or removed lines are detected.
// It records each action with user and result, but never bodies, secrets or tokens.
package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// EventType is the kind of change.
type EventType string

// The kinds of change that are recorded.
const (
	Create     EventType = "create"
	Update     EventType = "update"
	Delete     EventType = "delete"
	Power      EventType = "power"       // started, stopped, deallocated, restarted
	Access     EventType = "access"      // commands run on a VM, credentials listed, sessions
	Key        EventType = "key"         // SSH keys added, rotated, removed
	Network    EventType = "network"     // reachability changed: rules, addresses, gateways
	CostAction EventType = "cost_action" // done to save money
	SignIn     EventType = "sign_in"
)

// Status is how far the change has come.
type Status string

// The results of a change. Started is written before the request is sent, so that a change is on record even if the process
// dies; one of the others follows.
const (
	Started   Status = "started"
	Accepted  Status = "accepted" // Azure continues it in the background
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
)

// Record is one line. Only Time, Event and Status are required; Append sets a zero Time.
type Record struct {
	Time          time.Time `json:"time"` // UTC
	Event         EventType `json:"event"`
	Status        Status    `json:"status"`
	Method        string    `json:"method,omitempty"`    // of the HTTP request
	Resource      string    `json:"resource,omitempty"`  // ARM id, or a name
	Operation     string    `json:"operation,omitempty"` // "start", "Microsoft.Compute/virtualMachines/write"
	Detail        string    `json:"detail,omitempty"`    // additional facts: a rule admits everyone
	Code          string    `json:"code,omitempty"`      // Azure's error code, when it failed
	RequestID     string    `json:"request_id,omitempty"`
	CorrelationID string    `json:"correlation_id,omitempty"`
	Subscription  string    `json:"subscription,omitempty"`
	Context       string    `json:"context,omitempty"`
	User          string    `json:"user,omitempty"`
	Previous      string    `json:"previous"` // hash of the line before; Append sets it
}

// maxLine limits a line, so that a damaged file cannot fill the memory.
const maxLine = 1 << 20

// ErrMalformed is returned for a line that is not a record.
var ErrMalformed = errors.New("not an audit record")

// Parse parses one line. It returns ErrMalformed when the line is not a JSON object of the known fields, or lacks a required
// one.
func Parse(line []byte) (Record, error) {
	var r Record
	if len(line) > maxLine {
		return Record{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxLine)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if r.Time.IsZero() || r.Event == "" || r.Status == "" || len(r.Previous) != len(genesis) {
		return Record{}, fmt.Errorf("%w: time, event, status or previous is missing", ErrMalformed)
	}
	return r, nil
}
