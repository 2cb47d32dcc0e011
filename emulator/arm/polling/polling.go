// Package polling is how Azure's providers talk about long-running operations: the headers and URLs by which clients follow
// them.
package polling

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// Style is how a provider talks about its operations.
type Style struct {
	Path       string // below /subscriptions/S: providers/Microsoft.Compute/locations/%s/operations
	Bare       bool   // the status has nothing but "status"
	Signed     bool   // URLs carry long signatures
	Plain      bool   // URLs have nothing but monitor=true and the api-version
	Terse      bool   // URLs have nothing but the api-version, and no more is said
	Async      bool   // Azure-AsyncOperation is sent
	Location   bool   // Location is sent
	RetryAfter int    // seconds; 0: not said, but by a hasty server
}

// Compute is the style of Microsoft.Compute, as seen in recordings; the others follow.
func Compute() Style {
	return Style{Path: "providers/Microsoft.Compute/locations/{location}/operations", Async: true, RetryAfter: 10}
}

// ComputeAction is Compute for POST and DELETE.
func ComputeAction() Style {
	st := Compute()
	st.Location = true
	return st
}

// Silent is a style that does not say when to ask again. Recordings have it for powerOff, redeploy, reapply and
// runCommand, for extensions, and for what ends or lends out a disk.
func (st Style) Silent() Style {
	st.RetryAfter = 0
	return st
}

// Galleries is the style of galleries and what is in them, as recorded.
func Galleries() Style {
	return Style{Path: "providers/Microsoft.Compute/locations/{location}/capsOperations", Terse: true, Async: true}
}

// GalleriesDelete is Galleries for DELETE.
func GalleriesDelete() Style {
	st := Galleries()
	st.Location = true
	return st
}

// Slow is a style of operations that are to be looked at once a minute, as recorded for the versions of images.
func (st Style) Slow() Style {
	st.RetryAfter = 60
	return st
}

// Disks is the style of managed disks and snapshots.
func Disks() Style {
	return Style{Path: "providers/Microsoft.Compute/locations/{location}/DiskOperations", Async: true, Location: true, RetryAfter: 2}
}

// Network is the style of Microsoft.Network's PUT.
func Network() Style {
	return Style{Path: "providers/Microsoft.Network/locations/{location}/operations", Bare: true, Signed: true, Async: true, RetryAfter: 3}
}

// NetworkPrompt is Network for a PUT that is done when it is answered.
func NetworkPrompt() Style {
	st := Network()
	st.RetryAfter = 0
	return st
}

// NetworkDelete is the style of Microsoft.Network's DELETE.
func NetworkDelete() Style {
	st := Network()
	st.Location, st.RetryAfter = true, 4
	return st
}

// Storage is the style of Microsoft.Storage: a Location whose end is the account.
func Storage() Style {
	return Style{Path: "providers/Microsoft.Storage/locations/{location}/asyncoperations", Plain: true, Location: true, RetryAfter: 17}
}

// Groups is the style of a resource group's deletion.
func Groups() Style {
	return Style{Path: "operationresults", Signed: true, Location: true, RetryAfter: 15}
}

// Signature is as long as those that Azure puts into polling URLs: clients must use them as they are.
func Signature(id string, now time.Time) string {
	blob := func(n int, label string) string {
		var b []byte
		for i := 0; len(b) < n; i++ {
			h := sha256.Sum256([]byte(label + id + strconv.Itoa(i)))
			b = append(b, h[:]...)
		}
		return base64.RawURLEncoding.EncodeToString(b[:n])
	}
	return "&t=" + strconv.FormatInt(now.UnixNano()/100, 10) + "&c=" + blob(1700, "c") + "&s=" + blob(256, "s") + "&h=" + blob(32, "h")
}
