// Package resources emulates Microsoft.Resources and Microsoft.Authorization: subscriptions,
// regions, resource groups, tags, the generic list of resources, providers, template deployments
// and locks.
//
// Policies and management groups are not here, and access control is package rbac's.
package resources

import "github.com/azlin-dev/azlin/emulator/arm"

// Register adds the provider to a server.
func Register(s *arm.Server) {
	p := &provider{s: s}
	p.subscriptions()
	p.groups()
	p.tags()
	p.generic()
	p.providers()
	p.deployments()
	p.locks()
}

type provider struct{ s *arm.Server }

// Versions of Microsoft.Resources' own routes.
func versions() []string {
	return []string{
		"2014-04-01", "2014-04-01-preview", "2015-01-01", "2015-11-01", "2016-02-01", "2016-06-01", "2016-07-01", "2016-09-01", "2017-05-10",
		"2018-02-01", "2018-05-01", "2018-06-01", "2019-03-01", "2019-05-01", "2019-05-10", "2019-06-01", "2019-07-01", "2019-08-01", "2019-10-01", "2019-11-01",
		"2020-01-01", "2020-05-01", "2020-06-01", "2020-08-01", "2020-10-01", "2021-01-01", "2021-04-01", "2022-09-01", "2022-12-01",
		"2023-07-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01",
	}
}
