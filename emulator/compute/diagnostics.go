package compute

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// BlobPath is where the serial logs of VMs are, behind signed URLs.
const BlobPath = "/bootdiagnostics/"

// blobKey signs the URLs of one run of the server.
func blobKey() []byte {
	k := make([]byte, 32)
	_, _ = rand.Read(k) // does not fail
	return k
}

func (p *Provider) diagnostics() {
	key := blobKey()
	p.blobs = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serveBlob(w, r, key) })
	p.s.Handle(http.MethodPost, oneVM+"/retrieveBootDiagnosticsData", schema.Versions(), func(c *arm.Call) (*arm.Reply, error) {
		vm, err := p.vm(c)
		if err != nil {
			return nil, err
		}
		if !azjson.Bool(vm.Body, "properties", "diagnosticsProfile", "bootDiagnostics", "enabled") {
			return nil, arm.Conflict("OperationNotAllowed", "Boot diagnostics is not enabled for VM '%s'.", vm.Name())
		}
		minutes := 120
		if n, err := strconv.Atoi(c.Arg("sasUriExpirationTimeInMinutes")); err == nil && n > 0 {
			minutes = n
		}
		until := c.Now.Add(time.Duration(minutes) * time.Minute)
		at := func(file string) string {
			name := base64.RawURLEncoding.EncodeToString([]byte(resourceid.Key(vm.ID))) + "/" + file
			return c.Base + BlobPath + name + "?" + url.Values{"se": {until.UTC().Format(time.RFC3339)}, "sp": {"r"}, "sig": {sign(key, name, until)}}.Encode()
		}
		return arm.OK(azjson.Object{"consoleScreenshotBlobUri": at(vm.Name() + ".screenshot.bmp"), "serialConsoleLogBlobUri": at(vm.Name() + ".serialconsole.log")}), nil
	})
}

func sign(key []byte, name string, until time.Time) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(name + "\n" + until.UTC().Format(time.RFC3339)))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// Blobs serves what the URLs of boot diagnostics lead to. It needs no token: the URL is the secret.
func (p *Provider) Blobs() http.Handler { return p.blobs }

func (p *Provider) serveBlob(w http.ResponseWriter, r *http.Request, key []byte) {
	name := strings.TrimPrefix(r.URL.Path, BlobPath)
	q := r.URL.Query()
	until, err := time.Parse(time.RFC3339, q.Get("se"))
	if err != nil || !hmac.Equal([]byte(sign(key, name, until)), []byte(q.Get("sig"))) || !p.live(until) {
		http.Error(w, "AuthenticationFailed", http.StatusForbidden)
		return
	}
	enc, file, _ := strings.Cut(name, "/")
	id, err := base64.RawURLEncoding.DecodeString(enc)
	if err != nil || !strings.HasSuffix(file, ".log") {
		http.Error(w, "BlobNotFound", http.StatusNotFound)
		return
	}
	var log []byte
	if p.opt.Hosts != nil {
		if log, err = p.opt.Hosts.Console(string(id)); err != nil {
			http.Error(w, "BlobNotFound", http.StatusNotFound)
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("X-Ms-Blob-Type", "AppendBlob")
	_, _ = w.Write(log) // the client has gone: nothing to be done
}

func (p *Provider) live(until time.Time) bool {
	ok := false
	p.s.Peek(func() { ok = p.s.Now().Before(until) })
	return ok
}
