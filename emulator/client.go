package emulator

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"

	"github.com/azlin-dev/azlin/emulator/memnet"
)

// Client returns a client whose requests the emulator answers in-process, whatever host they name.
// There are no sockets, so it works inside a testing/synctest bubble.
func (e *Emulator) Client() *http.Client { return &http.Client{Transport: inProcess{e}} }

// inProcess is a transport without a network.
type inProcess struct{ h http.Handler }

// RoundTrip has the handler answer a request.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	in.RequestURI = r.URL.RequestURI()
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/2.0", 2, 0
	in.RemoteAddr = "127.0.0.1:0"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.Header.Get("Upgrade") != "" {
		return t.upgrade(r, in)
	}
	rec := &recorder{header: http.Header{}}
	broken := t.serve(rec, in)
	if err := in.Body.Close(); err != nil {
		return nil, err
	}
	if broken && rec.status == 0 {
		return nil, fmt.Errorf("in-process connection: %w", syscall.ECONNRESET)
	}
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body := io.Reader(bytes.NewReader(rec.body.Bytes()))
	if broken {
		body = io.MultiReader(body, cut{})
	}
	return &http.Response{
		Status: http.StatusText(rec.status), StatusCode: rec.status, Proto: in.Proto, ProtoMajor: 2, Header: rec.header,
		Body: io.NopCloser(body), ContentLength: int64(rec.body.Len()), Request: r,
	}, nil
}

// serve reports whether the handler broke the connection, as net/http understands it.
func (t inProcess) serve(w http.ResponseWriter, r *http.Request) (broken bool) {
	defer func() {
		if p := recover(); p != nil {
			if p != any(http.ErrAbortHandler) {
				panic(p)
			}
			broken = true
		}
	}()
	t.h.ServeHTTP(w, r)
	return false
}

// cut is the end of a body that breaks off.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// upgrade has the handler take over the connection, as net/http's server does. The handler then goes on after the
// answer, which ends with the request's context only until it is there.
func (t inProcess) upgrade(r, in *http.Request) (*http.Response, error) {
	in = in.WithContext(context.WithoutCancel(in.Context()))
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	near, far := memnet.NewPipe()
	rec := &hijacker{recorder: recorder{header: http.Header{}}, conn: far, taken: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.h.ServeHTTP(rec, in)
	}()
	resp := &http.Response{Proto: in.Proto, ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: -1}
	select {
	case <-rec.taken:
		resp.Body = near
	case <-done:
		resp.Body = io.NopCloser(bytes.NewReader(rec.body.Bytes()))
	case <-r.Context().Done():
		return nil, errors.Join(r.Context().Err(), near.Close())
	}
	resp.Header, resp.StatusCode, resp.Status = rec.header, rec.status, http.StatusText(rec.status)
	return resp, nil
}

// hijacker is a recorder whose handler may take the connection.
type hijacker struct {
	recorder

	conn  net.Conn
	taken chan struct{}
}

// Hijack gives the handler the connection.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	close(h.taken)
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// recorder keeps what a handler writes.
type recorder struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
