package storage

import (
	"net/http"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
)

func (p *Provider) accounts() {
	s, v := p.s, Versions()
	s.Register(&arm.Type{Name: AccountType, Versions: v, Rank: 30, Removed: p.removedAccount})
	s.RegisterKind("storage.put", arm.Kind{Finish: func(op *arm.Operation, _ error) (time.Duration, error) {
		if r := p.s.Find(op.Target); r != nil {
			r.Props()["provisioningState"] = "Succeeded"
			p.s.Touch(r)
			op.Output = p.s.View(r)
		}
		return 0, nil
	}})
	list := func(c *arm.Call) (*arm.Reply, error) {
		var l []*arm.Resource
		for _, r := range s.OfType(AccountType) {
			if g := c.Group(); g == "" || azjson.Fold(g, r.Group()) {
				l = append(l, r)
			}
		}
		return reply(c.Page(s.Views(l))), nil
	}
	s.Handle(http.MethodGet, inSub+"/storageAccounts", v, list)
	s.Handle(http.MethodGet, inGroup, v, list)
	s.Handle(http.MethodGet, oneAccount, v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.account(c)
		if err != nil {
			return nil, err
		}
		return reply(arm.OK(s.View(r))), nil
	})
	s.Handle(http.MethodPut, oneAccount, v, p.putAccount)
	s.Handle(http.MethodPatch, oneAccount, v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.account(c)
		if err != nil {
			return nil, err
		}
		if err := c.NeedBody(); err != nil {
			return nil, err
		}
		return p.change(c, r)
	})
	s.Handle(http.MethodDelete, oneAccount, v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.account(c)
		if err != nil {
			return reply(arm.Status(http.StatusNoContent)), nil
		}
		p.s.Remove(r)
		return reply(arm.Status(http.StatusOK)), nil
	})
	s.Handle(http.MethodPost, inSub+"/checkNameAvailability", v, p.checkName)
	s.Handle(http.MethodGet, inSub+"/locations/{location}/usages", v, p.usages)
}

func (p *Provider) putAccount(c *arm.Call) (*arm.Reply, error) {
	name := c.Param("accountName")
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	if !accountName.MatchString(name) {
		return nil, arm.BadRequest("AccountNameInvalid", "%s", invalidName(name))
	}
	if err := c.NeedLocation(AccountType); err != nil {
		return nil, err
	}
	azjson.WithoutNulls(c.Body)
	if r, err := p.account(c); err == nil {
		if r.Location() != azjson.Str(c.Body, "location") {
			return nil, arm.Conflict("InvalidResourceLocation", "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
				r.Name(), r.Location(), r.Group(), azjson.Str(c.Body, "location"))
		}
		return p.change(c, r)
	}
	if other := p.named(name); other != nil {
		return nil, arm.Conflict("StorageAccountInAnotherResourceGroup", "The account %s is already in another resource group in this subscription.", name)
	}
	if taken(name) {
		return nil, arm.Conflict("StorageAccountAlreadyTaken", "The storage account named %s is already taken.", name)
	}
	r := &arm.Resource{ID: c.ID("Microsoft.Storage", "storageAccounts", name), Type: AccountType, Body: c.Body, Hidden: azjson.Object{}}
	if err := p.judge(r); err != nil {
		return nil, err
	}
	if n, limit := p.used(r.Location()), p.limit(); n >= limit {
		return nil, arm.Conflict("MaxStorageAccountsCountPerSubscriptionExceeded",
			"Subscription %s already contains %d storage accounts in location %s and the maximum allowed is %d.", c.Sub(), n, r.Location(), limit)
	}
	p.complete(r)
	p.s.Add(r)
	op := p.s.Begin("storage.put", r.ID, r.Location(), nil)
	return reply(c.Async(arm.Status(http.StatusAccepted), op, polling.Storage())), nil
}

// complete fills in what Azure adds.
func (p *Provider) complete(r *arm.Resource) {
	now := stamp(p.s.Now())
	props, kind := r.Props(), azjson.Str(r.Body, "kind")
	r.Body["id"], r.Body["name"], r.Body["type"] = r.ID, r.Name(), AccountType
	azjson.Default(r.Body, azjson.Object{}, "tags")
	props["provisioningState"] = "Creating"
	props["creationTime"] = now
	props["keyCreationTime"] = azjson.Object{"key1": now, "key2": now}
	props["privateEndpointConnections"] = []any{}
	azjson.Default(props, "TLS1_0", "minimumTlsVersion")
	azjson.Default(props, false, "allowBlobPublicAccess")
	azjson.Default(props, true, "supportsHttpsTrafficOnly")
	for _, s := range []string{"file", "blob"} {
		azjson.Put(props, azjson.Object{"keyType": "Account", "enabled": true, "lastEnabledTime": now}, "encryption", "services", s)
	}
	azjson.Default(props, "Microsoft.Storage", "encryption", "keySource")
	if kind == "StorageV2" || kind == "BlobStorage" {
		azjson.Default(props, "Hot", "accessTier")
	}
	props["primaryEndpoints"] = endpoints(r.Name(), kind)
	props["primaryLocation"], props["statusOfPrimary"] = r.Location(), "available"
	r.Hidden["key1"], r.Hidden["key2"] = newKey(), newKey()
}

// endpoints are where an account's services would answer.
func endpoints(name, kind string) azjson.Object {
	hosted := []string{"blob", "queue", "table", "file"}
	switch kind {
	case "StorageV2":
		hosted = append(hosted, "dfs", "web")
	case "FileStorage":
		hosted = []string{"file"}
	case "BlobStorage":
		hosted = []string{"blob", "table", "dfs"}
	case "BlockBlobStorage":
		hosted = []string{"blob", "dfs", "web"}
	}
	o := azjson.Object{}
	for _, s := range hosted {
		label := s
		if s == "web" {
			label = "z5.web"
		}
		o[s] = "https://" + name + "." + label + ".core.windows.net/"
	}
	return o
}

// fixed are the properties that an account keeps.
var fixed = []string{"creationTime", "keyCreationTime", "primaryEndpoints", "primaryLocation", "statusOfPrimary", "provisioningState", "privateEndpointConnections"}

// change is a PATCH, or a PUT of what exists already: both answer 200 with the account.
func (p *Provider) change(c *arm.Call, old *arm.Resource) (*arm.Reply, error) {
	azjson.WithoutNulls(c.Body)
	r := &arm.Resource{ID: old.ID, Type: old.Type, Body: azjson.Clone(old.Body), Hidden: old.Hidden, Created: old.Created}
	if want := azjson.Str(c.Body, "kind"); want != "" && !azjson.Fold(want, azjson.Str(old.Body, "kind")) && (want != "StorageV2" || azjson.Str(old.Body, "kind") != "Storage") {
		return nil, readOnly("kind")
	}
	if props := azjson.Map(c.Body, "properties"); props != nil {
		for _, k := range fixed {
			delete(props, k)
		}
		if hns, ok := props["isHnsEnabled"]; ok && hns != azjson.Bool(old.Body, "properties", "isHnsEnabled") {
			return nil, readOnly("isHnsEnabled")
		}
		azjson.Merge(r.Props(), props, "networkAcls")
	}
	for _, k := range []string{"kind", "sku", "identity", "tags"} {
		if v := c.Body[k]; v != nil {
			r.Body[k] = v
		}
	}
	if err := p.judge(r); err != nil {
		return nil, err
	}
	p.s.Add(r)
	return reply(arm.OK(p.s.View(r))), nil
}

func readOnly(property string) error {
	return arm.Conflict("AccountPropertyCannotBeUpdated", "The property '%s' was specified in the input, but it cannot be updated as it is read-only. For more information, see - https://aka.ms/storageaccountupdate", property)
}

// removedAccount takes an account's shares with it.
func (p *Provider) removedAccount(r *arm.Resource) {
	for _, s := range p.sharesOf(r) {
		p.s.Forget(s)
	}
}

func (p *Provider) checkName(c *arm.Call) (*arm.Reply, error) {
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	if typ := azjson.Str(c.Body, "type"); !azjson.Fold(typ, AccountType) {
		return nil, arm.BadRequest("InvalidRequestPropertyValue", "The value '%s' is not allowed for property type.", typ)
	}
	name := azjson.Str(c.Body, "name")
	switch {
	case !accountName.MatchString(name):
		return reply(arm.OK(azjson.Object{"nameAvailable": false, "reason": "AccountNameInvalid", "message": invalidName(name)})), nil
	case taken(name) || p.named(name) != nil:
		return reply(arm.OK(azjson.Object{"nameAvailable": false, "reason": "AlreadyExists", "message": "The storage account named " + name + " is already taken."})), nil
	}
	return reply(arm.OK(azjson.Object{"nameAvailable": true})), nil
}

func (p *Provider) limit() int {
	for k, n := range p.limits {
		if azjson.Fold(k, "StorageAccounts") {
			return n
		}
	}
	return accountsLimit
}

func (p *Provider) used(location string) int {
	n := 0
	for _, r := range p.s.OfType(AccountType) {
		if r.Location() == location {
			n++
		}
	}
	return n
}

func (p *Provider) usages(c *arm.Call) (*arm.Reply, error) {
	region, ok := geography.FindRegion(c.Param("location"))
	if !ok {
		return nil, arm.LocationNotAvailable(c.Param("location"), "locations/usages")
	}
	return reply(c.Page([]any{azjson.Object{
		"unit": "Count", "currentValue": p.used(region.Name), "limit": p.limit(),
		"name": azjson.Object{"value": "StorageAccounts", "localizedValue": "Storage Accounts"},
	}})), nil
}
