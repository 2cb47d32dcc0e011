package emulator

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/azlin-dev/azlin/emulator/credential"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/emulator/journal"
)

// controlPath is the prefix of what only the owner of the state directory may ask for.
const controlPath = "/_emulator/"

// ServeOptions set up a daemon.
type ServeOptions struct {
	Dir        string
	Listen     string     // loopback address; empty: 127.0.0.1 and the port of the last run, or any
	OperatorIP netip.Addr // zero: 203.0.113.10
	HostMode   host.Mode
	NoHosts    bool // VMs exist in Azure Resource Manager only
	SSHPort    int  // 0: 22 where that is allowed, else 2222
	Realistic  bool
	Throttle   Throttle
	Quota      map[string]int // as in Options
	Record     string         // file that each request and its answer is appended to, secrets masked; empty: none
	Log        io.Writer      // nil: nothing is logged
}

// Serve runs the emulator of a directory until ctx ends or Stop is called. It is an error when
// another one serves the directory already.
func Serve(ctx context.Context, o ServeOptions) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("serve: %w", err)
		}
	}()
	log := slog.New(slog.DiscardHandler)
	if o.Log != nil {
		log = slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	lock := served(o.Dir)
	// Programs that look whether somebody serves hold the lock for an instant.
	patience, cancel := context.WithTimeout(ctx, 2*time.Second)
	held, err := lock.TryLockContext(patience, 10*time.Millisecond)
	cancel()
	if !held {
		return errors.Join(fmt.Errorf("%s is served by another process", o.Dir), err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()

	l, err := listen(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }() // the server closes it first as a rule
	d := &daemon{dir: o.Dir, endpoint: "https://" + l.Addr().String(), token: credential.RandomHex(24), recording: o.Record, quit: make(chan struct{}, 1)}
	rt, note := openHosts(o, log)
	d.note = note
	if rt != nil {
		d.rt = rt
		defer func() { err = errors.Join(err, rt.Close()) }()
	}
	known, err := wellKnown(o.Dir, d.endpoint)
	if err != nil {
		return err
	}
	d.known = known
	var recording io.Writer
	if o.Record != "" {
		f, err := os.OpenFile(o.Record, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		recording = f
	}
	d.e, err = New(Options{
		Dir: o.Dir, Principals: known.principals, Hosts: rt, OperatorIP: o.OperatorIP, Realistic: o.Realistic, Throttle: o.Throttle, Quota: o.Quota, Log: log, Record: recording, Sockets: true, Devices: DevicePolicy{Hold: true}, endpoint: l.Addr().String(),
		Restricted: []string{"Standard_NC24ads_A100_v4"}, // as most subscriptions find it, until they ask
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.e.Close()) }()
	ctx, cancel = context.WithCancel(ctx)
	defer cancel()
	go func() {
		if whenGone(ctx, lock) {
			log.Warn("the directory was deleted, so the emulator ends")
			cancel()
		}
	}()
	return d.run(ctx, l, log)
}

// lookEvery is how often an emulator looks whether its directory is still there.
const lookEvery = 2 * time.Second

// whenGone waits until somebody has deleted the directory with the lock, or ctx ends: who deletes the files of an emulator
// has done with it, and nobody could find it, or stop it, any more.
func whenGone(ctx context.Context, lock *flock.Flock) bool {
	for pause(ctx, lookEvery) == nil {
		held, err := lock.Stat()
		there, gone := os.Stat(lock.Path())
		if err == nil && (errors.Is(gone, fs.ErrNotExist) || gone == nil && !os.SameFile(held, there)) {
			return true
		}
	}
	return false
}

// listen opens the loopback listener. The port of the last run is taken again where it is free, so
// that what was configured with it keeps working.
func listen(ctx context.Context, o ServeOptions) (net.Listener, error) {
	var lc net.ListenConfig
	addr := o.Listen
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	hostName, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if ip, err := netip.ParseAddr(hostName); hostName != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%s is not a loopback address: the emulator must not be reachable from elsewhere", hostName)
	}
	if port == "0" {
		var rv rendezvous
		if data, err := journal.ReadFile(rendezvousFile(o.Dir)); err == nil && json.Unmarshal(data, &rv) == nil {
			if u, err := url.Parse(rv.Endpoint); err == nil && u.Port() != "" {
				if l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(hostName, u.Port())); err == nil {
					return l, nil
				}
			}
		}
	}
	return lc.Listen(ctx, "tcp", addr)
}

// openHosts opens the VMs' runtime, or says why there is none.
func openHosts(o ServeOptions, log *slog.Logger) (*host.Runtime, string) {
	if o.NoHosts {
		return nil, "hosts are switched off"
	}
	rt, err := host.Open(host.Options{Dir: filepath.Join(o.Dir, "hosts"), Log: log, Mode: o.HostMode, Port: o.SSHPort, OperatorIP: operatorOr(o.OperatorIP)})
	if err != nil {
		return nil, err.Error()
	}
	if err := rt.Available(); err != nil {
		log.Warn("VMs do not boot", "err", err)
		_ = rt.Close() // what matters is why it is of no use
		return nil, err.Error()
	}
	return rt, ""
}

func operatorOr(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		return netip.MustParseAddr("203.0.113.10")
	}
	return a
}

// daemon is one run of a server.
type daemon struct {
	dir, endpoint, token, note string
	recording                  string
	e                          *Emulator
	rt                         *host.Runtime // nil without hosts
	known                      known
	quit                       chan struct{}
}

func (d *daemon) run(ctx context.Context, l net.Listener, log *slog.Logger) error {
	ca, err := credential.LoadAuthority(d.dir)
	if err != nil {
		return err
	}
	cert, err := ca.Server()
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler: d, ReadHeaderTimeout: 30 * time.Second, MaxHeaderBytes: 128 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.ServeTLS(l, "", "") }()
	rv, err := json.Marshal(rendezvous{Endpoint: d.endpoint, Token: d.token, PID: os.Getpid()})
	if err != nil {
		return err
	}
	if err := journal.WriteFile(rendezvousFile(d.dir), rv); err != nil {
		_ = srv.Close() // the first error is the one that matters
		return err
	}
	log.Info("serving", "endpoint", d.endpoint)
	select {
	case <-ctx.Done():
	case <-d.quit:
	case err := <-failed:
		return err
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		_ = srv.Close() // clients that hold on are cut off
	}
	log.Info("stopped")
	return nil
}

// ServeHTTP answers the control interface, and everything else as Azure.
func (d *daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w, done := d.e.durably(w, r)
	defer done()
	what, ok := strings.CutPrefix(r.URL.Path, controlPath)
	if !ok {
		d.e.ServeHTTP(w, r)
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+d.token)) != 1 {
		http.Error(w, "only the owner of the state directory may do this", http.StatusUnauthorized)
		return
	}
	out, err := d.command(r, what)
	switch {
	case errors.Is(err, errNoCommand):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		writeJSON(w, out)
	}
}

var errNoCommand = errors.New("there is no such command")

func (d *daemon) command(r *http.Request, what string) (any, error) {
	switch r.Method + " " + what {
	case "GET status":
		return d.status(), nil
	case "POST stop":
		select {
		case d.quit <- struct{}{}:
		default:
		}
		return struct{}{}, nil
	case "POST reset":
		d.e.Reset()
		return struct{}{}, nil
	case "POST seed":
		var o SeedOptions
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&o); err != nil {
			return nil, fmt.Errorf("seed: %w", err)
		}
		return struct{}{}, d.e.Seed(o)
	}
	if out, err := d.faultCommands(r, what); !errors.Is(err, errNoCommand) {
		return out, err
	}
	if out, err := d.timeCommands(r, what); !errors.Is(err, errNoCommand) {
		return out, err
	}
	return d.access(r, what)
}

func (d *daemon) status() Status {
	c := d.e.Counts()
	st := Status{
		Endpoint: d.endpoint, CAFile: filepath.Join(d.dir, credential.CaFile), TenantID: tenantID, ClientID: clientID, SubscriptionID: subscriptionID,
		ClientSecretFile: filepath.Join(d.dir, credential.SecretFile), OperatorIP: d.e.operator.String(), PID: os.Getpid(), HostsNote: d.note, StateNote: d.e.stateNote(),
		Hosts: []host.Status{}, Resources: c.Resources, Requests: c.Requests, Realistic: d.e.realistic, Throttle: d.e.throttle, Recording: d.recording,
		Tokens: c.Tokens, Actions: c.Actions, Principals: d.known.status,
	}
	if d.rt != nil {
		st.SSHPort = d.rt.Port()
		st.Hosts = append(st.Hosts, d.rt.Hosts()...)
	}
	return st
}
