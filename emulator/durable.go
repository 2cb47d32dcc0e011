package emulator

import "net/http"

// durably makes the answer to a request that may change something wait until the change is in the journal. done is for the
// end of a handler that wrote nothing.
func (e *Emulator) durably(w http.ResponseWriter, r *http.Request) (durably http.ResponseWriter, done func()) {
	if e.saver == nil || r.Method == http.MethodGet {
		return w, func() {}
	}
	d := &durable{ResponseWriter: w, flush: e.saver.Flush}
	return d, d.settle
}

// durable writes an answer only when what it acknowledges outlives the process.
type durable struct {
	http.ResponseWriter
	flush func()
	begun bool
}

func (d *durable) WriteHeader(status int) {
	d.settle()
	d.ResponseWriter.WriteHeader(status)
}

func (d *durable) Write(b []byte) (int, error) {
	d.settle()
	return d.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer.
func (d *durable) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (d *durable) settle() {
	if !d.begun {
		d.begun = true
		d.flush()
	}
}
