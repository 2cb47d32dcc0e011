package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/errkind"
)

// AnySource admits SSH from everywhere. It must be requested explicitly.
const AnySource = "any"

// DefaultEchoServices return the caller's public address. They are run by two different parties, which must agree.
func DefaultEchoServices() []string {
	return []string{"https://api.ipify.org", "https://checkip.amazonaws.com"}
}

const echoTimeout = 10 * time.Second

// ParseSource parses an address, a CIDR, or "any".
func ParseSource(s string) (netip.Prefix, error) {
	if s == AnySource {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0), nil
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return prefix, errkind.New(errkind.Invalid, "SSH source %q: give an address, a range like 198.51.100.0/24, or %q", s, AnySource)
	}
	if prefix.Bits() == 0 {
		return prefix, errkind.New(errkind.Invalid, "SSH source %q admits everyone; if that is what you want, say %q", s, AnySource)
	}
	return prefix.Masked(), nil
}

// Operator is the user whose address VMs admit.
type Operator struct {
	Network      *Service
	Name         string       // a name for the SSH rule
	Source       string       // address, CIDR or AnySource to admit for SSH; empty: the operator's own address
	EchoServices []string     // services that return that address; empty: DefaultEchoServices
	HTTP         *http.Client // for the echo services; nil: http.DefaultClient
}

// From is the operator's source: Source, else Address.
func (o Operator) From(ctx context.Context) (netip.Prefix, error) {
	if o.Source != "" {
		return ParseSource(o.Source)
	}
	return o.Address(ctx)
}

// Address reads the operator's public IPv4 address from the echo services.
func (o Operator) Address(ctx context.Context) (netip.Prefix, error) {
	services := o.EchoServices
	if len(services) == 0 {
		services = DefaultEchoServices()
	}
	return OperatorAddress(ctx, cmp.Or(o.HTTP, http.DefaultClient), services)
}

// OperatorAddress reads the caller's public IPv4 address from the services. All must answer with the same address: a rule
// for a wrong address would lock the operator out or admit a stranger.
func OperatorAddress(ctx context.Context, client *http.Client, services []string) (netip.Prefix, error) {
	if len(services) == 0 {
		return netip.Prefix{}, addressUnknown(errors.New("no echo service is configured"))
	}
	ctx, cancel := context.WithTimeout(ctx, echoTimeout)
	defer cancel()
	answers := make([]netip.Addr, len(services))
	asking, ctx := errgroup.WithContext(ctx)
	for i, service := range services {
		asking.Go(func() (err error) {
			answers[i], err = askEcho(ctx, client, service)
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return netip.Prefix{}, addressUnknown(err)
	}
	for i, a := range answers {
		if a != answers[0] {
			return netip.Prefix{}, addressUnknown(fmt.Errorf("%s says %s, but %s says %s", services[0], answers[0], services[i], a))
		}
	}
	return netip.PrefixFrom(answers[0], answers[0].BitLen()), nil
}

func addressUnknown(err error) error {
	return &errkind.Error{
		Kind: errkind.Prerequisite, Op: "find your public address",
		Err: fmt.Errorf("%w; specify the addresses that SSH is admitted from", err),
	}
}

func askEcho(ctx context.Context, client *http.Client, service string) (netip.Addr, error) {
	if !strings.HasPrefix(service, "https://") {
		return netip.Addr{}, fmt.Errorf("echo service %s: only https can be trusted", service)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, service, nil)
	if err != nil {
		return netip.Addr{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return netip.Addr{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return netip.Addr{}, fmt.Errorf("%s answered %s", service, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 256))
	if err != nil {
		return netip.Addr{}, err
	}
	return parseEcho(service, string(body))
}

func parseEcho(service, body string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(strings.TrimSpace(body))
	switch {
	case err != nil:
		return addr, fmt.Errorf("%s did not answer with an address", service)
	case !addr.Is4():
		return addr, fmt.Errorf("%s answered %s, which is not an IPv4 address", service, addr)
	case !addr.IsGlobalUnicast() || addr.IsPrivate():
		return addr, fmt.Errorf("%s answered %s, which is not a public address", service, addr)
	}
	return addr, nil
}
