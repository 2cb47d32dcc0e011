package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// decision is what a person at a browser does with a device code.
type decision struct {
	UserCode string `json:"user_code"`
	Approve  bool   `json:"approve"`
}

// access are the commands about who may sign in.
func (d *daemon) access(r *http.Request, what string) (any, error) {
	read := func(v any) error {
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(v); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	switch r.Method + " " + what {
	case "POST principal":
		var p Principal
		if err := read(&p); err != nil {
			return nil, err
		}
		return struct{}{}, d.e.PutPrincipal(p)
	case "POST disable":
		var name string
		if err := read(&name); err != nil {
			return nil, err
		}
		d.e.Disable(name)
		return struct{}{}, nil
	case "POST challenge":
		d.e.Challenge()
		return struct{}{}, nil
	case "POST devices":
		var p DevicePolicy
		if err := read(&p); err != nil {
			return nil, err
		}
		d.e.SetDevices(p)
		return struct{}{}, nil
	case "POST policies":
		var l []TagPolicy
		if err := read(&l); err != nil {
			return nil, err
		}
		d.e.SetPolicies(l)
		return struct{}{}, nil
	case "POST device":
		var in decision
		if err := read(&in); err != nil {
			return nil, err
		}
		if !d.e.DecideDevice(in.UserCode, in.Approve) {
			if in.UserCode == "" {
				return nil, errors.New("device: there is not exactly one code that waits")
			}
			return nil, fmt.Errorf("device: no code %q waits", in.UserCode)
		}
		return struct{}{}, nil
	}
	return nil, errNoCommand
}

// PutPrincipal is Emulator.PutPrincipal for the emulator that serves a directory. It lasts until that
// one ends; a federated issuer's key cannot be given.
func PutPrincipal(ctx context.Context, dir string, p Principal) error {
	return control(ctx, dir, http.MethodPost, "principal", p, nil)
}

// Disable is Emulator.Disable for the emulator that serves a directory.
func Disable(ctx context.Context, dir, name string) error {
	return control(ctx, dir, http.MethodPost, "disable", name, nil)
}

// Challenge is Emulator.Challenge for the emulator that serves a directory.
func Challenge(ctx context.Context, dir string) error {
	return control(ctx, dir, http.MethodPost, "challenge", nil, nil)
}

// SetDevices is Emulator.SetDevices for the emulator that serves a directory. Until then its device codes wait. A policy
// without Hold signs in everybody on this machine who asks: it is for tests.
func SetDevices(ctx context.Context, dir string, p DevicePolicy) error {
	return control(ctx, dir, http.MethodPost, "devices", p, nil)
}

// DecideDevice is Emulator.DecideDevice for the emulator that serves a directory. It is an error when no
// such code waits.
func DecideDevice(ctx context.Context, dir, userCode string, approve bool) error {
	return control(ctx, dir, http.MethodPost, "device", decision{userCode, approve}, nil)
}
