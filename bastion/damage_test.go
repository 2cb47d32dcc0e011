package bastion_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/internal/damage"
)

// revoker is a transport to a Bastion that ends every session it is asked to.
type revoker struct{ ended atomic.Int32 }

func (r *revoker) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodDelete && strings.Contains(req.URL.Path, "the-token") {
		r.ended.Add(1)
	}
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: req}, nil
}

// nobody is a credential that always has a token.
type nobody struct{}

func (nobody) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// TestDamagedRecords spoils the record that a killed process left of a session, 1,000 times: the session is ended. Where
// the record's copy is damaged, too, the file is named.
func TestDamagedRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := &revoker{}
	c, err := azure.Open(azure.Options{Target: azure.Target{SubscriptionID: "s"}, Credential: nobody{}, HTTP: &http.Client{Transport: r}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := bastion.New(c, bastion.Options{HTTP: &http.Client{Transport: r}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(map[string]any{"host": "bst-1.bastion.azure.com", "auth_token": "the-token", "node_id": "n", "target": "vm", "since": time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 0))
	for i := range 1000 {
		gone := filepath.Join(dir, "gone")
		if err := os.MkdirAll(gone, 0o700); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(gone, "one.json")
		if err := atomicfile.Keep(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		spoilt, how := damage.Spoil(random, whole, i/2)
		both := i%2 == 1 && string(spoilt) != string(whole)
		files := []string{name}
		if both {
			files = append(files, filepath.Join(gone, ".one.json.copy"))
		}
		for _, f := range files {
			if err := os.WriteFile(f, spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := r.ended.Load()
		done, err := s.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ended := r.ended.Load() - before
		switch {
		case !both && (ended != 1 || done.Ended != 1 || len(done.Errs) > 0):
			t.Fatalf("%s: %d ended, %+v", how, ended, done)
		case both && (ended != 0 || len(done.Errs) != 1 || !strings.Contains(done.Errs[0].Error(), name)):
			t.Fatalf("%s, and its copy: %d ended, %+v", how, ended, done)
		}
		if _, err := os.Stat(gone); !os.IsNotExist(err) {
			t.Fatalf("%s: the directory stays: %v", how, err)
		}
	}
}
