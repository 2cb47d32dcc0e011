package emulator

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/azlin-dev/azlin/emulator/credential"
	"github.com/azlin-dev/azlin/emulator/entra"
	"github.com/azlin-dev/azlin/emulator/journal"
)

// PrincipalStatus says how to sign in as one of a daemon's principals. What it takes stands in files
// that only their owner can read.
type PrincipalStatus struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	ClientID    string `json:"client_id"`

	SecretFile         string `json:"secret_file,omitempty"`
	CertificateFile    string `json:"certificate_file,omitempty"` // PEM, with its key
	FederatedTokenFile string `json:"federated_token_file,omitempty"`
	IdentityEndpoint   string `json:"identity_endpoint,omitempty"`
	IdentityHeaderFile string `json:"identity_header_file,omitempty"`
}

// known are the principals that every daemon has.
type known struct {
	principals []Principal
	status     []PrincipalStatus
}

// KnownGroup is the resource group of the principal "group".
const KnownGroup = "team"

// wellKnown reads the secrets of a directory's principals, or makes them.
func wellKnown(dir, endpoint string) (known, error) {
	var k known
	dir = filepath.Join(dir, "principals")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return k, err
	}
	fail := func(err error) (known, error) { return known{}, fmt.Errorf("principals: %w", err) }
	for _, p := range []struct {
		name, description string
		roles             []Role
	}{
		{"group", "Contributor of resource group " + KnownGroup + " and nothing else", []Role{Contributor(KnownGroup)}},
		{"reader", "Reader of the subscription", []Role{Reader("")}},
		{"untagged", "Contributor of the subscription without the right to write tags by themselves", []Role{{Actions: []string{"*"}, NotActions: []string{"Microsoft.Resources/tags/*"}}}},
	} {
		file := filepath.Join(dir, p.name+"-secret")
		secret, err := credential.Kept(file, func() ([]byte, error) { return []byte(credential.RandomHex(20)), nil })
		if err != nil {
			return fail(err)
		}
		k.add(Principal{Name: p.name, Secret: string(secret), Roles: p.roles}, PrincipalStatus{Description: p.description, SecretFile: file})
	}
	pair := filepath.Join(dir, "certificate.pem")
	data, err := credential.Kept(pair, credential.SelfSigned)
	if err != nil {
		return fail(err)
	}
	k.add(Principal{Name: "certificate", Certificate: data}, PrincipalStatus{Description: "signs in with a certificate; may do everything", CertificateFile: pair})
	token := filepath.Join(dir, "federated-token")
	key, err := credential.FederatedToken(data, token)
	if err != nil {
		return fail(err)
	}
	k.add(Principal{Name: "federated", Federated: []Federation{{Issuer: credential.FederatedIssuer, Subject: credential.FederatedSubject, Key: key.Public()}}},
		PrincipalStatus{Description: "workload identity; may do everything", FederatedTokenFile: token})
	keys, err := credential.LoadKeys(filepath.Dir(dir))
	if err != nil {
		return fail(err)
	}
	header := filepath.Join(dir, "identity-header")
	if err := journal.WriteFile(header, []byte(keys.Header)); err != nil {
		return fail(err)
	}
	k.add(defaultIdentity(), PrincipalStatus{Description: "system-assigned managed identity; may do everything", IdentityEndpoint: endpoint + entra.IdentityPath, IdentityHeaderFile: header})
	return k, nil
}

func (k *known) add(p Principal, s PrincipalStatus) {
	s.Name, s.ClientID = p.Name, ClientIDOf(p.Name)
	k.principals, k.status = append(k.principals, p), append(k.status, s)
}
