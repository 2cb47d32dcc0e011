package transport

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"sync"
	"time"
)

// Client returns a client that trusts what the system trusts.
func Client() *http.Client { return &http.Client{Transport: trusting(nil)} }

// ClientTrusting returns a client that trusts the certificates of pem besides the system's, and for a host of this machine
// (empty: none) those alone. It is false when there are none in pem.
func ClientTrusting(pem []byte, host string) (*http.Client, bool) {
	own := x509.NewCertPool()
	if !own.AppendCertsFromPEM(pem) {
		return nil, false
	}
	everybody := func() *http.Transport {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return trusting(own) // no system store (Windows without one): the cloud's own CA is what counts here
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

// local reaches a cloud on this machine, for which its own CA is enough: reading the system's certificates would take a third
// of the time of a command that asks for little.
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
