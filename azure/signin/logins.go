package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// login is a stored sign-in: how to get tokens for one tenant of one cloud.
type login struct {
	Kind      Kind      `json:"kind"`
	Authority string    `json:"authority"`
	TenantID  string    `json:"tenant_id,omitempty"`
	ClientID  string    `json:"client_id,omitempty"`
	UserName  string    `json:"user_name,omitempty"`
	Account   string    `json:"account,omitempty"` // for a device code: selects its refresh token
	Time      time.Time `json:"time"`

	SecretFile          string `json:"secret_file,omitempty"`
	Secret              string `json:"secret,omitempty"` // only if it was typed or came from the environment
	CertificateFile     string `json:"certificate_file,omitempty"`
	CertificatePassword string `json:"certificate_password,omitempty"`
	FederatedTokenFile  string `json:"federated_token_file,omitempty"`
}

// loginsFile holds all of them.
const loginsFile = "logins.json"

// loginsVersion is the version of the file's format. Files of version 1 have no checksum.
const loginsVersion = 2

type loginsContent struct {
	Version int     `json:"version"`
	Logins  []login `json:"logins"`
}

func readLogins(dir string) ([]login, error) {
	if dir == "" {
		return nil, nil
	}
	name := filepath.Join(dir, loginsFile)
	var all []login
	_, err := atomicfile.Recall(name, func(data []byte) (err error) {
		all, err = parseLogins(name, data)
		return err
	})
	switch {
	case err == nil:
		return all, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, atomicfile.ErrDamaged):
		return nil, brokenLogins(name, err)
	case errkind.Of(err) == errkind.Unknown:
		return nil, unreadable("the remembered sign-ins", err)
	}
	return nil, err
}

// parseLogins parses the file. Its errors never quote the content, which holds secrets.
func parseLogins(name string, data []byte) ([]login, error) {
	broken := func(what string) error { return brokenLogins(name, errors.New(what)) }
	var c loginsContent
	if err := json.Unmarshal(data, &c); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			line, column := position(data, syntax.Offset)
			return nil, broken(fmt.Sprintf("line %d, column %d: not JSON", line, column))
		}
		return nil, broken("not what azlin writes")
	}
	switch {
	case c.Version > loginsVersion:
		return nil, broken(fmt.Sprintf("its version is %d, this azlin reads up to %d: a newer one wrote it", c.Version, loginsVersion))
	case c.Version < 1:
		return nil, broken("it names no version")
	case c.Version > 1:
		if err := atomicfile.VerifySealed(data); err != nil {
			return nil, brokenLogins(name, err)
		}
	}
	return c.Logins, nil
}

func brokenLogins(name string, err error) error {
	return &errkind.Error{Kind: errkind.Invalid, Op: "read the remembered sign-ins", Resource: name, Class: azure.ErrAuthentication, Err: err, Next: errkind.Step{Action: errkind.SignOut}}
}

func position(data []byte, offset int64) (line, column int) {
	before := string(data[:min(max(offset-1, 0), int64(len(data)))])
	return 1 + strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n')
}

// findLogin is the newest sign-in for a cloud and tenant. A user's sign-in is valid for every tenant in which the user is a
// guest; a sign-in for the tenant itself takes precedence.
func findLogin(all []login, authority, tenant string) (login, bool) {
	var best login
	rank := 0
	for _, l := range all {
		r := 0
		switch {
		case l.Authority != authority:
		case tenant == "" || strings.EqualFold(l.TenantID, tenant) || l.Kind == ManagedIdentity:
			r = 2
		case l.Kind == DeviceCode:
			r = 1
		}
		if r > rank || r == rank && r > 0 && l.Time.After(best.Time) {
			best, rank = l, r
		}
	}
	return best, rank > 0
}

// keep stores a sign-in, replacing the one for the same tenant.
func (l login) keep(ctx context.Context, dir string) error {
	name := filepath.Join(dir, loginsFile)
	return atomicfile.Locked(ctx, name, func() error {
		all, err := readLogins(dir)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(o login) bool {
			return o.Authority == l.Authority && (strings.EqualFold(o.TenantID, l.TenantID) || o.Kind == ManagedIdentity || l.Kind == ManagedIdentity)
		})
		data, err := json.Marshal(loginsContent{Version: loginsVersion, Logins: append(all, l)})
		if err != nil {
			return err
		}
		return atomicfile.Keep(name, data, 0o600)
	})
}

// login finds the stored sign-in for the cloud and tenant.
func (a *Authenticator) login() (login, bool) {
	all, err := readLogins(a.options.CacheDir)
	if err != nil {
		return login{}, false
	}
	return findLogin(all, a.options.Cloud.Authority, a.options.TenantID)
}

// remembered uses the stored sign-in.
func (a *Authenticator) remembered() (bool, error) {
	o := a.options
	all, err := readLogins(o.CacheDir)
	if err != nil {
		return true, err
	}
	if l, ok := findLogin(all, o.Cloud.Authority, o.TenantID); ok {
		return true, a.use(l)
	}
	for _, other := range all {
		if other.Authority == o.Cloud.Authority {
			a.pass(other.Kind, sourceLogin, "it is for tenant %s, not for %s", other.TenantID, o.TenantID)
			return false, nil
		}
	}
	a.pass("", sourceLogin, "no sign-in is remembered for this cloud")
	return false, nil
}

// use signs in with l.
func (a *Authenticator) use(l login) error {
	o := a.options
	if o.TenantID == "" {
		o.TenantID = l.TenantID
	}
	who := Credentials{SubscriptionID: o.SubscriptionID, TenantID: o.TenantID, UserName: l.UserName}
	o.ClientID = l.ClientID
	key := []string{"login", string(l.Kind), l.Authority, o.TenantID, l.ClientID, l.Account}
	cred, err := o.credential(l)
	if err != nil {
		return err
	}
	a.take(l.Kind, sourceLogin, who, "signed in on %s", l.Time.UTC().Format(time.DateOnly))
	a.cred = newTokenCache(cred, o.CacheDir, key...)
	return nil
}

// Forgotten reports what Logout removed.
type Forgotten struct {
	Logins int `json:"logins"` // stored sign-ins
	Tokens int `json:"tokens"` // files with tokens
}

// ownFile matches the files that this package stores in a CacheDir.
var ownFile = regexp.MustCompile(`^([0-9a-f]{32}|msal-[0-9a-f]{16}|logins)\.json$`)

// Logout removes the sign-ins and tokens in dir, an AuthOptions.CacheDir. The Azure CLI's sign-in is kept. No request is
// sent: issued tokens stay valid until they expire.
func Logout(ctx context.Context, dir string) (Forgotten, error) {
	var f Forgotten
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("forget the tokens: %w", err)
	}
	// A damaged file is removed as well.
	if all, err := readLogins(dir); err == nil {
		f.Logins = len(all)
	}
	for _, e := range entries {
		if !ownFile.MatchString(e.Name()) {
			continue
		}
		name := filepath.Join(dir, e.Name())
		if err := atomicfile.Locked(ctx, name, func() error { return atomicfile.Forget(name) }); err != nil {
			return f, fmt.Errorf("forget the tokens: %w", err)
		}
		if e.Name() != loginsFile {
			f.Tokens++
		}
	}
	return f, nil
}
