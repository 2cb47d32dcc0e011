package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/azlin-dev/azlin/emulator/credential"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/emulator/journal"
)

// ErrNotRunning is returned when no emulator serves a directory.
var ErrNotRunning = errors.New("the emulator is not running")

// Status is what a running emulator says of itself.
type Status struct {
	Endpoint         string         `json:"endpoint"` // https://127.0.0.1:port
	CAFile           string         `json:"ca_file"`
	TenantID         string         `json:"tenant_id"`
	ClientID         string         `json:"client_id"`
	ClientSecretFile string         `json:"client_secret_file"`
	SubscriptionID   string         `json:"subscription_id"`
	SSHPort          int            `json:"ssh_port"` // 0 without hosts
	OperatorIP       string         `json:"operator_ip"`
	Realistic        bool           `json:"realistic"`           // operations last as long as in Azure
	Throttle         string         `json:"throttle"`            // rate limits: azure, fast (Azure's, but given back 100 times as fast) or off
	Recording        string         `json:"recording,omitempty"` // file that requests are recorded in
	PID              int            `json:"pid"`
	Hosts            []host.Status  `json:"hosts"`
	HostsNote        string         `json:"hosts_note,omitempty"` // why VMs do not boot
	StateNote        string         `json:"state_note,omitempty"` // state files that were damaged, and made up for by their copies
	Resources        map[string]int `json:"resources"`            // by type
	Requests         map[string]int `json:"requests"`             // by method
	Tokens           map[string]int `json:"tokens"`               // given out, by how they were asked for

	Actions    map[string]map[string]int `json:"actions"`    // granted so far, by level
	Principals []PrincipalStatus         `json:"principals"` // who may sign in beside client_id
}

// rendezvous is how the programs of a directory find its server. The token keeps VMs out: they share
// the loopback network, but cannot read the file.
type rendezvous struct {
	Endpoint string `json:"endpoint"`
	Token    string `json:"token"`
	PID      int    `json:"pid"`
}

func rendezvousFile(dir string) string { return filepath.Join(dir, "daemon.json") }

// served is the lock that a running server holds.
func served(dir string) *flock.Flock {
	return flock.New(filepath.Join(dir, "serve.lock"), flock.SetPermissions(0o600))
}

// alive reports whether a server holds the lock of a directory: a killed one does not.
func alive(dir string) (bool, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	l := served(dir)
	free, err := l.TryRLock()
	if err != nil {
		return false, err
	}
	if free {
		return false, l.Unlock()
	}
	return true, l.Close()
}

// Read returns the status of the emulator that serves a directory, or ErrNotRunning.
func Read(ctx context.Context, dir string) (Status, error) {
	var st Status
	err := control(ctx, dir, http.MethodGet, "status", nil, &st)
	return st, err
}

// Stop ends the emulator that serves a directory and waits until it is gone. Resources stay. When
// none runs it returns ErrNotRunning.
func Stop(ctx context.Context, dir string) error {
	if err := control(ctx, dir, http.MethodPost, "stop", nil, nil); err != nil {
		return err
	}
	for {
		up, err := alive(dir)
		if err != nil || !up {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("stop the emulator: %w", err)
		}
	}
}

// Reset removes all resources and hosts of the emulator that serves a directory, and takes its time back to the present.
// Its endpoint, its authority and its identity stay.
func Reset(ctx context.Context, dir string) error {
	return control(ctx, dir, http.MethodPost, "reset", nil, nil)
}

// Seed makes a fleet in the emulator that serves a directory.
func Seed(ctx context.Context, dir string, o SeedOptions) error {
	return control(ctx, dir, http.MethodPost, "seed", o, nil)
}

// control makes a request to the control interface of a directory's server.
func control(ctx context.Context, dir, method, what string, in, out any) error {
	up, err := alive(dir)
	if err != nil {
		return fmt.Errorf("emulator %s: %w", what, err)
	}
	data, readErr := journal.ReadFile(rendezvousFile(dir))
	if !up || errors.Is(readErr, fs.ErrNotExist) {
		return ErrNotRunning
	}
	if readErr != nil {
		return fmt.Errorf("emulator %s: %w", what, readErr)
	}
	var rv rendezvous
	if err := json.Unmarshal(data, &rv); err != nil {
		return fmt.Errorf("emulator %s: %s: %w", what, rendezvousFile(dir), err)
	}
	tc, err := credential.Trust(dir)
	if err != nil {
		return fmt.Errorf("emulator %s: %w", what, err)
	}
	tr := &http.Transport{TLSClientConfig: tc, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, rv.Endpoint+controlPath+what, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+rv.Token)
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return fmt.Errorf("emulator %s: %w", what, err)
	}
	defer func() { _ = resp.Body.Close() }() // was read
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("emulator %s: %w", what, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("emulator %s: %s", what, bytes.TrimSpace(raw))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("emulator %s: %w", what, err)
	}
	return nil
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
