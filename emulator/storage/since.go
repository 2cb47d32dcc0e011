package storage

import "github.com/azlin-dev/azlin/emulator/arm"

// introduce says when the members of this provider's types came to be. Learned from the models of the SDKs
// of each api-version.
func (p *Provider) introduce() {
	p.s.Introduce(AccountType, arm.Since{
		"kind":                                        "2016-01-01",
		"sku":                                         "2016-01-01",
		"properties.encryption":                       "2016-01-01",
		"properties.encryption.services.file":         "2016-12-01",
		"properties.supportsHttpsTrafficOnly":         "2016-12-01",
		"properties.networkAcls":                      "2017-06-01",
		"properties.allowBlobPublicAccess":            "2019-04-01",
		"properties.minimumTlsVersion":                "2019-04-01",
		"properties.privateEndpointConnections":       "2019-06-01",
		"properties.keyCreationTime":                  "2021-02-01",
		"properties.encryption.services.file.keyType": "2019-06-01",
		"properties.encryption.services.blob.keyType": "2019-06-01",
	})
	p.s.Introduce(ShareType, arm.Since{
		"properties.enabledProtocols": "2019-06-01", "properties.rootSquash": "2019-06-01", "properties.accessTier": "2019-06-01",
		"properties.accessTierChangeTime": "2019-06-01",
		"properties.leaseStatus":          "2021-04-01", "properties.leaseState": "2021-04-01", "properties.leaseDuration": "2021-04-01",
		"properties.signedIdentifiers": "2021-04-01",
	})
}
