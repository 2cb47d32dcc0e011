package keys_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/test/local/person"
	"github.com/azlin-dev/azlin/vm"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

// lab is a person's Azure with hosts.
type lab struct {
	*testing.T
	*person.Person
}

func newLab(t *testing.T) *lab {
	t.Helper()
	return &lab{t, person.New(t, emulator.Options{})}
}

func (l *lab) path(names ...string) string { return l.Path(names...) }

func (l *lab) defaultKey() string { return l.Key.Private }

// open is what a new process does. around (may be nil) stands between it and Azure.
func (l *lab) open(around func(http.RoundTripper) http.RoundTripper) *azlin.Client {
	l.Helper()
	return l.Open(person.Through(around))
}

// create makes VMs that let the default key in.
func (l *lab) create(names ...string) {
	l.Helper()
	client := l.open(nil)
	for _, name := range names {
		l.Launch(client, name, func(r *launch.Request) { r.KeyPath = "" })
	}
}

func (l *lab) vm(client *azlin.Client, name string) vm.Info {
	l.Helper()
	i, err := client.VMs.Get(l.Context(), vm.Ref{ResourceGroup: "g", Name: name})
	if err != nil {
		l.Fatal(err)
	}
	return i
}

// run runs a line on a VM as somebody does who has nothing but azlin's usual way in.
func (l *lab) run(name, line string) (remote.Result, error) {
	l.Helper()
	client := l.open(nil)
	h, err := client.Hosts.Host(l.Context(), l.vm(client, name), reach.Options{KeyPath: l.defaultKey()})
	if err != nil {
		l.Fatal(err)
	}
	return remote.Execute(l.Context(), h, line, 30*time.Second)
}

// authorized is the authorized_keys of a VM.
func (l *lab) authorized(name string) string {
	l.Helper()
	r, err := l.run(name, "cat .ssh/authorized_keys")
	if err != nil || !r.Success {
		l.Fatalf("%s: %v %+v", name, err, r)
	}
	return r.Stdout
}

// letIn replaces the authorized_keys of a VM.
func (l *lab) letIn(name, content string) {
	l.Helper()
	r, err := l.run(name, "printf %s "+remote.Quote(content)+" > .ssh/authorized_keys")
	if err != nil || !r.Success {
		l.Fatalf("%s: %v %+v", name, err, r)
	}
}

func (l *lab) public(path string) string {
	l.Helper()
	line, err := keypair.PublicKeyContent(strings.TrimSuffix(path, ".pub") + ".pub")
	if err != nil {
		l.Fatal(err)
	}
	return line
}

// blob is the key in a public line.
func blob(line string) string {
	fields := strings.Fields(line)
	for n, f := range fields {
		if strings.HasPrefix(f, "ssh-") && n+1 < len(fields) {
			return fields[n+1]
		}
	}
	return ""
}

// nothingLeft wants no operation, no half-made copy and no spare key to be left over.
func (l *lab) nothingLeft() {
	l.Helper()
	for _, pattern := range []string{"state/operations/*.json", "state/keys/new-*", "state/keys/.making*", "ssh/.*"} {
		left, err := filepath.Glob(l.path(pattern))
		if err != nil || len(left) > 0 {
			l.Errorf("left over: %v, %v", left, err)
		}
	}
	for _, name := range []string{"state/keys", "state/operations"} {
		if info, err := os.Stat(l.path(name)); err == nil && info.Mode().Perm()&0o077 != 0 {
			l.Errorf("others can read %s: %v", name, info.Mode())
		}
	}
}
