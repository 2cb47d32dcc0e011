// Package storage emulates Microsoft.Storage as far as file shares go: storage accounts with their keys and
// network rules, the file service, and SMB and NFS shares.
//
// What is in a share is not here: no data plane answers, and blobs, queues and tables do not exist.
package storage

import (
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// Types of this provider.
const (
	AccountType     = "Microsoft.Storage/storageAccounts"
	FileServiceType = AccountType + "/fileServices"
	ShareType       = FileServiceType + "/shares"
)

// Limits that a subscription starts with.
const accountsLimit = 250

// Provider is Microsoft.Storage on a server.
type Provider struct {
	s      *arm.Server
	limits map[string]int // overrides by the names of the usages
}

// Register adds the provider to a server. limits override those of a region, by the names of the usages:
// StorageAccounts.
func Register(s *arm.Server, limits map[string]int) *Provider {
	p := &Provider{s: s, limits: limits}
	p.introduce()
	p.accounts()
	p.keys()
	p.fileServices()
	p.shares()
	return p
}

// Versions are the api-versions of Microsoft.Storage.
func Versions() []string {
	return []string{
		"2015-05-01-preview", "2015-06-15", "2016-01-01", "2016-05-01", "2016-12-01", "2017-06-01", "2017-10-01", "2018-02-01", "2018-03-01-preview",
		"2018-07-01", "2018-11-01", "2019-04-01", "2019-06-01", "2020-08-01-preview", "2021-01-01", "2021-02-01", "2021-04-01", "2021-05-01",
		"2021-06-01", "2021-08-01", "2021-09-01", "2022-05-01", "2022-09-01", "2023-01-01", "2023-04-01", "2023-05-01", "2024-01-01", "2025-01-01",
		"2025-06-01", "2026-04-01", "2026-09-01",
	}
}

// fileVersions are those of file services and shares, which came later.
func fileVersions() []string { return Versions()[11:] }

const (
	inSub      = "/subscriptions/{subscriptionId}/providers/Microsoft.Storage"
	inGroup    = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts"
	oneAccount = inGroup + "/{accountName}"
	services   = oneAccount + "/fileServices"
	oneService = services + "/{FileServicesName}"
	shares     = oneService + "/shares"
	oneShare   = shares + "/{shareName}"
)

// reply gives an answer the headers of the provider.
func reply(rep *arm.Reply) *arm.Reply { return arm.StorageHeaders(rep) }

// stamp is how the provider writes times.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// account finds the account that a call's path names.
func (p *Provider) account(c *arm.Call) (*arm.Resource, error) {
	id := c.ID("Microsoft.Storage", "storageAccounts", c.Param("accountName"))
	if r := p.s.Find(id); r != nil {
		return r, nil
	}
	parsed, err := resourceid.Parse(id)
	if err != nil {
		return nil, err
	}
	return nil, arm.NotFound(parsed)
}

// newKey is an account key: 64 random bytes.
func newKey() string {
	b := make([]byte, 64)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}
