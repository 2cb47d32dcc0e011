package emulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

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

// The issuer and subject of the federated principal's tokens.
const (
	federatedIssuer  = "https://oidc.local/"
	federatedSubject = "system:serviceaccount:default:azlin"
)

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
		secret, err := kept(file, func() ([]byte, error) { return []byte(randomHex(20)), nil })
		if err != nil {
			return fail(err)
		}
		k.add(Principal{Name: p.name, Secret: string(secret), Roles: p.roles}, PrincipalStatus{Description: p.description, SecretFile: file})
	}
	pair := filepath.Join(dir, "certificate.pem")
	data, err := kept(pair, selfSigned)
	if err != nil {
		return fail(err)
	}
	k.add(Principal{Name: "certificate", Certificate: data}, PrincipalStatus{Description: "signs in with a certificate; may do everything", CertificateFile: pair})
	token := filepath.Join(dir, "federated-token")
	key, err := federatedToken(data, token)
	if err != nil {
		return fail(err)
	}
	k.add(Principal{Name: "federated", Federated: []Federation{{Issuer: federatedIssuer, Subject: federatedSubject, Key: key.Public()}}},
		PrincipalStatus{Description: "workload identity; may do everything", FederatedTokenFile: token})
	keys, err := loadKeys(filepath.Dir(dir))
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

// kept reads a file, or makes it.
func kept(name string, make func() ([]byte, error)) ([]byte, error) {
	data, err := journal.ReadFile(name)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if data, err = make(); err != nil {
		return nil, err
	}
	return data, journal.WriteFile(name, data)
}

// selfSigned makes a certificate and its key, as applications of Entra ID use them.
func selfSigned() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "azlin emulator principal"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})...), nil
}

// federatedToken writes a token of the foreign issuer, whose key is that of a PEM pair.
func federatedToken(pair []byte, name string) (*rsa.PrivateKey, error) {
	keys := blocks(pair, "PRIVATE KEY")
	if len(keys) == 0 {
		return nil, errors.New("the certificate's file holds no key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keys[0])
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the certificate's key is not RSA")
	}
	now := time.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": federatedIssuer, "sub": federatedSubject, "aud": []string{"api://AzureADTokenExchange"},
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.AddDate(1, 0, 0).Unix(), "jti": randomHex(8),
	}).SignedString(key)
	if err != nil {
		return nil, err
	}
	return key, journal.WriteFile(name, []byte(token))
}

// blocks are the contents of a PEM text's blocks of a type.
func blocks(data []byte, typ string) [][]byte {
	var l [][]byte
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			return l
		}
		if strings.EqualFold(b.Type, typ) {
			l = append(l, b.Bytes)
		}
	}
}
