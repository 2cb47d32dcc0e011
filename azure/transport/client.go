package transport

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"sync"
	"time"
)

// Client returns a client that trusts the system's certificates.
func Client() *http.Client { return &http.Client{Transport: trusting(nil)} }

// ClientTrusting returns a client that trusts the certificates of pem in addition to the system's; for a host on this
// machine (empty: none) only those. It returns false when pem has no certificates.
func ClientTrusting(pem []byte, host string) (*http.Client, bool) {
	own := x509.NewCertPool()
	if !own.AppendCertsFromPEM(pem) {
		return nil, false
	}
	everybody := func() *http.Transport {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return trusting(own) // without a system store (as on Windows) the cloud's own CA is sufficient
		}
		pool.AppendCertsFromPEM(pem)
		return trusting(pool)
	}
	if host != "" {
		return &http.Client{Transport: &local{host: host, there: trusting(own), elsewhere: sync.OnceValue(everybody)}}, true
	}
	return &http.Client{Transport: everybody()}, true
}

func trusting(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
	}
}

// local connects to a cloud on this machine with only its own CA: reading the system's certificates would take a third of
// the time of a short command.
type local struct {
	host      string
	there     *http.Transport
	elsewhere func() *http.Transport
}

func (l *local) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == l.host {
		return l.there.RoundTrip(r)
	}
	return l.elsewhere().RoundTrip(r)
}

// CloseIdleConnections is for http.Client.
func (l *local) CloseIdleConnections() { l.there.CloseIdleConnections() }
