package emulator

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/credential"
	"github.com/azlin-dev/azlin/emulator/entra"
	"github.com/azlin-dev/azlin/emulator/rbac"
)

// DevicePolicy says what becomes of device codes: whether they wait for DecideDevice, or how many polls
// they last.
type DevicePolicy = entra.DevicePolicy

// Principal is an application that may sign in. It signs in by whatever is given here.
type Principal struct {
	Name     string // names it; what is left empty is derived from it
	ClientID string // empty: made from Name
	Secret   string
	// Certificate is registered for it, as PEM; a private key in it is ignored.
	Certificate []byte
	// Federated are the foreign issuers whose tokens stand for it.
	Federated []Federation
	// Managed makes it a managed identity, given at the identity endpoints; Assigned a user-assigned one.
	Managed, Assigned bool
	// Roles are what it may do. Nil: everything.
	Roles []Role
}

// Federation is a foreign issuer whose tokens stand for an application.
type Federation struct {
	Issuer, Subject string
	Key             crypto.PublicKey `json:"-"`
}

// Role is what a principal may do in a scope and below it: names of actions, in which * stands for
// anything.
type Role struct {
	Scope      string // a resource group's name, or the id of anything; empty: the subscription
	Actions    []string
	NotActions []string
}

// Contributor may do everything in a scope but give rights, as Azure's role of that name.
func Contributor(scope string) Role {
	return Role{Scope: scope, Actions: []string{"*"}, NotActions: []string{
		"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action",
		"Microsoft.Blueprint/blueprintAssignments/write", "Microsoft.Blueprint/blueprintAssignments/delete",
		"Microsoft.Compute/galleries/share/action", "Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete",
	}}
}

// Reader may look at everything in a scope, as Azure's role of that name.
func Reader(scope string) Role { return Role{Scope: scope, Actions: []string{"*/read"}} }

func (r Role) scope() string {
	sub := "/subscriptions/" + subscriptionID
	switch {
	case r.Scope == "":
		return sub
	case strings.HasPrefix(r.Scope, "/"):
		return r.Scope
	}
	return sub + "/resourceGroups/" + r.Scope
}

// names are the ids that principals get: the same everywhere.
func derived(kind, name string) string {
	return uuid.NewSHA1(uuid.MustParse(tenantID), []byte(kind+" "+name)).String()
}

// ClientIDOf is the client id of a principal that was given none.
func ClientIDOf(name string) string { return derived("client", name) }

// PutPrincipal adds a principal, or replaces the one of that name. Its roles count from now on.
func (e *Emulator) PutPrincipal(p Principal) error {
	if p.Name == "" {
		return fmt.Errorf("principal: no name")
	}
	q := entra.Principal{Name: p.Name, ClientID: p.ClientID, ObjectID: derived("object", p.Name), Managed: p.Managed, Assigned: p.Assigned}
	if q.ClientID == "" {
		q.ClientID = ClientIDOf(p.Name)
	}
	if p.Secret != "" {
		q.Secrets = []string{p.Secret}
	}
	if p.Certificate != nil {
		certs, err := certificates(p.Certificate)
		if err != nil {
			return fmt.Errorf("principal %s: %w", p.Name, err)
		}
		q.Certificates = certs
	}
	for _, f := range p.Federated {
		q.Federated = append(q.Federated, entra.Federation{Issuer: f.Issuer, Subject: f.Subject, Key: f.Key})
	}
	if p.Roles != nil {
		roles := make([]rbac.Role, len(p.Roles))
		for i, r := range p.Roles {
			roles[i] = rbac.Role{Scope: r.scope(), Actions: r.Actions, NotActions: r.NotActions}
		}
		e.access.Assign(q.ObjectID, roles)
	}
	e.entra.Put(q)
	return nil
}

func certificates(data []byte) ([]*x509.Certificate, error) {
	var l []*x509.Certificate
	for _, der := range credential.Blocks(data, "CERTIFICATE") {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		l = append(l, c)
	}
	if l == nil {
		return nil, fmt.Errorf("no certificate in its PEM")
	}
	return l, nil
}

// defaultIdentity is the system-assigned managed identity. It may do everything.
func defaultIdentity() Principal { return Principal{Name: "identity", Managed: true} }

// Disable keeps a principal from getting further tokens; "user" is the one who signs in with device
// codes. Tokens given out stay valid.
func (e *Emulator) Disable(name string) {
	switch name {
	case "user":
		e.entra.Disable(userID)
	case "":
		e.entra.Disable(objectID)
	default:
		e.entra.Disable(derived("object", name))
	}
}

// Challenge revokes all access tokens given out so far: requests with them are answered with a claims
// challenge, as by continuous access evaluation.
func (e *Emulator) Challenge() { e.entra.Challenge() }

// SetDevices says what becomes of device codes from now on.
func (e *Emulator) SetDevices(p DevicePolicy) { e.entra.SetDevices(p) }

// DecideDevice does what a person at a browser does with a device's user code; an empty one means the
// only one that waits. It reports whether there was one.
func (e *Emulator) DecideDevice(userCode string, approve bool) bool {
	return e.entra.Decide(userCode, approve)
}
