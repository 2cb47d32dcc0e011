package bastion

import (
	"errors"
	"net/http"

	"github.com/azlin-dev/azlin/azure"
)

// The failures of this package, for errors.Is.
var (
	// ErrTunnel is the class of every tunnel that could not be opened.
	ErrTunnel = errors.New("bastion tunnel failed")
	// ErrUnusable is why a Bastion that exists carries no tunnels: its SKU, a setting, or its state.
	ErrUnusable = errors.New("the bastion cannot be used")
	// ErrPoolExhausted is told when all tunnels of a pool stayed in use until the deadline.
	ErrPoolExhausted = errors.New("all tunnels of the pool are in use")
	// ErrPoolClosed is told by a pool that was closed.
	ErrPoolClosed = errors.New("the pool is closed")
)

// Options of a Service. The zero value opens tunnels and leaves no record of them.
type Options struct {
	HTTP *http.Client // nil: the cloud's own, which trusts its CA
	// Dir keeps a record of each open tunnel, mode 0600, so that what a killed process left at the Bastion can be
	// ended by the next one. Empty: no records.
	Dir string
}

// Service is the Bastions of one subscription. It may be used by several goroutines.
type Service struct {
	azure   *azure.Client
	http    *http.Client
	records *records
}

// New returns the service of c's subscription. It sends nothing.
func New(c *azure.Client, o Options) (*Service, error) {
	if o.HTTP == nil {
		hc, err := c.Target().Cloud.HTTPClient()
		if err != nil {
			return nil, err
		}
		o.HTTP = hc
	}
	return &Service{azure: c, http: o.HTTP, records: &records{dir: o.Dir}}, nil
}
