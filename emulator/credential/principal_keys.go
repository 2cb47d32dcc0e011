package credential

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/azlin-dev/azlin/emulator/journal"
)

// The issuer and subject of the federated principal's tokens.
const (
	FederatedIssuer  = "https://oidc.local/"
	FederatedSubject = "system:serviceaccount:default:azlin"
)

// Kept reads a file, or makes it.
func Kept(name string, make func() ([]byte, error)) ([]byte, error) {
	data, err := journal.ReadFile(name)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if data, err = make(); err != nil {
		return nil, err
	}
	return data, journal.WriteFile(name, data)
}

// SelfSigned makes a certificate and its key, as applications of Entra ID use them.
func SelfSigned() ([]byte, error) {
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

// FederatedToken writes a token of the foreign issuer, whose key is that of a PEM pair.
func FederatedToken(pair []byte, name string) (*rsa.PrivateKey, error) {
	keys := Blocks(pair, "PRIVATE KEY")
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
		"iss": FederatedIssuer, "sub": FederatedSubject, "aud": []string{"api://AzureADTokenExchange"},
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.AddDate(1, 0, 0).Unix(), "jti": RandomHex(8),
	}).SignedString(key)
	if err != nil {
		return nil, err
	}
	return key, journal.WriteFile(name, []byte(token))
}

// Blocks are the contents of a PEM text's blocks of a type.
func Blocks(data []byte, typ string) [][]byte {
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
