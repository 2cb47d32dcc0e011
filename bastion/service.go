package bastion

import (
	"errors"
	"net/http"

	"github.com/azlin-dev/azlin/azure"
)

// The failures of this package, for errors.Is.
var (
	// ErrTunnel is the class of errors for tunnels that could not be opened.
	ErrTunnel = errors.New("bastion tunnel failed")
	// ErrUnusable is the cause when an existing Bastion cannot carry tunnels: its SKU, a setting, or its state.
	ErrUnusable = errors.New("the bastion cannot be used")
	// ErrPoolExhausted is returned when all tunnels of a pool stayed in use until the deadline.
	ErrPoolExhausted = errors.New("all tunnels of the pool are in use")
	// ErrPoolClosed is returned by a closed pool.
	ErrPoolClosed = errors.New("the pool is closed")
)

// Options of a Service. The zero value opens tunnels without recording them.
type Options struct {
	HTTP *http.Client // nil: the cloud's own, which trusts its CA
	// Dir holds a record of each open tunnel, mode 0600, so that a later process can end what a killed process left at the
	// Bastion. Empty: no records.
	Dir string
}

// Service manages the Bastions of one subscription. It is safe for concurrent use.
type Service struct {
	azure   *azure.Client
	http    *http.Client
	records *records
}

// New returns the service of c's subscription. It sends no request.
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
