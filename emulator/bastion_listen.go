package emulator

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/credential"
)

// bastionRange is where public addresses are.
var bastionRange = netip.MustParsePrefix("127.77.0.0/16")

// Where Bastions listen: at the port of HTTPS where this user may, else at another one, which is then part of
// their names.
const (
	httpsPort       = 443
	otherHTTPSPort  = 8443
	bastionProbe    = "127.77.255.253"
	bastionPatience = 10 * time.Second
)

func chooseBastionPort(ctx context.Context) uint16 {
	if canListen(ctx, bastionProbe, httpsPort) {
		return httpsPort
	}
	return otherHTTPSPort
}

func canListen(ctx context.Context, address string, port uint16) bool {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(int(port))))
	return err == nil && l.Close() == nil
}

// openSockets makes Bastions listen from now on. Addresses are given out only when their ports are free.
func (e *Emulator) openSockets(opt Options) error {
	if opt.Dir == "" {
		return errors.New("open emulator: Bastions that listen need a directory for their authority")
	}
	ca, err := credential.LoadAuthority(opt.Dir)
	if err != nil {
		return err
	}
	e.net.BastionPort = chooseBastionPort(context.Background())
	free := e.net.Free
	e.net.Free = func(a netip.Addr) bool {
		return (free == nil || free(a)) && canListen(context.Background(), a.String(), e.net.BastionPort)
	}
	e.sockets = &bastionServers{e: e, ca: ca, port: e.net.BastionPort, log: opt.Log, open: map[netip.Addr]*http.Server{}}
	return nil
}

// bastionServers listen at the addresses of Bastions.
type bastionServers struct {
	e    *Emulator
	ca   credential.Authority
	port uint16
	log  *slog.Logger

	mu   sync.Mutex
	open map[netip.Addr]*http.Server
	stop bool
}

func (l *bastionServers) reconcile(ctx context.Context) {
	wanted := map[netip.Addr]bool{}
	l.e.arm.Peek(func() {
		for _, b := range l.e.net.Bastions() {
			for _, a := range []netip.Addr{b.Address, b.Pod} {
				if a.IsValid() {
					wanted[a] = true
				}
			}
		}
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop {
		return
	}
	for a, srv := range l.open {
		if !wanted[a] {
			_ = srv.Close() // its clients are cut off
			delete(l.open, a)
		}
	}
	for a := range wanted {
		if l.open[a] != nil {
			continue
		}
		srv, err := l.listen(ctx, a)
		if err != nil {
			l.log.Error("listen for Bastion", "address", a, "err", err)
			continue
		}
		l.open[a] = srv
	}
}

func (l *bastionServers) listen(ctx context.Context, a netip.Addr) (*http.Server, error) {
	cert, err := l.ca.Leaf("bastion "+a.String(), nil, a.AsSlice())
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", netip.AddrPortFrom(a, l.port).String())
	if err != nil {
		return nil, err
	}
	srv := &http.Server{
		// Whatever host the client names: who connects to this address means this Bastion.
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.e.tunnels.Serve(w, r, a.String()) }),
		ReadHeaderTimeout: bastionPatience, ErrorLog: slog.NewLogLogger(l.log.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
	}
	go func() { _ = srv.ServeTLS(listener, "", "") }() // it ends when it is closed
	return srv, nil
}

func (l *bastionServers) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop = true
	for srv := range maps.Values(l.open) {
		_ = srv.Close()
	}
}

// keepBastions brings listeners and sessions in line with the Bastions that there are.
func (e *Emulator) keepBastions(ctx context.Context) {
	ids := map[string]bool{}
	e.arm.Peek(func() {
		for _, b := range e.net.Bastions() {
			ids[resourceid.Key(b.ID)] = true
		}
	})
	e.tunnels.Keep(ids)
	if e.sockets != nil {
		e.sockets.reconcile(ctx)
	}
}
