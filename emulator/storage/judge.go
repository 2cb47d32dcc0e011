package storage

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

var accountName = regexp.MustCompile(`^[a-z0-9]{3,24}$`)

func invalidName(name string) string {
	return name + " is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only."
}

// taken are names that somebody else in the world has: they are unique over all of Azure.
func taken(name string) bool {
	return slices.Contains([]string{"azure", "backup", "data", "microsoft", "storage", "test"}, name)
}

// named returns the subscription's account of a name, in whatever group.
func (p *Provider) named(name string) *arm.Resource {
	for _, r := range p.s.OfType(AccountType) {
		if azjson.Fold(r.Name(), name) {
			return r
		}
	}
	return nil
}

// skus are the redundancies that each kind of account can have.
func skus(kind string) []string {
	standard := []string{"Standard_LRS", "Standard_GRS", "Standard_RAGRS", "Standard_ZRS", "Standard_GZRS", "Standard_RAGZRS"}
	switch kind {
	case "StorageV2":
		return append(standard, "Premium_LRS")
	case "Storage":
		return append(standard[:4:4], "Premium_LRS")
	case "BlobStorage":
		return standard[:3]
	case "BlockBlobStorage":
		return []string{"Premium_LRS", "Premium_ZRS"}
	case "FileStorage":
		return []string{
			"Premium_LRS", "Premium_ZRS", "PremiumV2_LRS", "PremiumV2_ZRS",
			"StandardV2_LRS", "StandardV2_ZRS", "StandardV2_GRS", "StandardV2_GZRS",
		}
	}
	return nil
}

// judge refuses an impossible account and brings what is possible into its stored form.
func (p *Provider) judge(r *arm.Resource) error {
	if err := arm.CheckTags(r.Body["tags"]); err != nil {
		return err
	}
	kind := azjson.Str(r.Body, "kind")
	if kind == "" {
		return arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: 'kind is required'.")
	}
	possible := skus(kind)
	if possible == nil {
		return arm.BadRequest("InvalidRequestPropertyValue", "The value '%s' is not allowed for property kind.", kind)
	}
	sku := azjson.Str(r.Body, "sku", "name")
	if !slices.Contains(possible, sku) {
		return arm.BadRequest("InvalidAccountType", "The AccountType %s is invalid. For more information, see - https://aka.ms/storageaccountskus", sku)
	}
	tier, _, _ := strings.Cut(strings.Replace(sku, "V2", "", 1), "_")
	r.Body["sku"] = azjson.Object{"name": sku, "tier": tier}
	for key, allowed := range map[string][]string{
		"minimumTlsVersion":    {"TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"},
		"accessTier":           {"Hot", "Cool", "Cold", "Premium"},
		"publicNetworkAccess":  {"Enabled", "Disabled", "SecuredByPerimeter"},
		"largeFileSharesState": {"Enabled", "Disabled"},
	} {
		if v := azjson.Str(r.Body, "properties", key); v != "" && !slices.Contains(allowed, v) {
			return arm.BadRequest("InvalidRequestPropertyValue", "The value '%s' is not allowed for property %s.", v, key)
		}
	}
	if azjson.Bool(r.Body, "properties", "isNfsV3Enabled") && (kind == "FileStorage" || !azjson.Bool(r.Body, "properties", "isHnsEnabled")) {
		return arm.BadRequest("InvalidRequestPropertyValue", "The value 'True' is not allowed for property isNfsv3Enabled.") // that is NFS for blobs
	}
	return p.judgeNetwork(r)
}

// judgeNetwork looks at the rules about who may reach an account.
func (p *Provider) judgeNetwork(r *arm.Resource) error {
	props := r.Props()
	azjson.Default(props, "AzureServices", "networkAcls", "bypass")
	azjson.Default(props, "Allow", "networkAcls", "defaultAction")
	for _, k := range []string{"virtualNetworkRules", "ipRules"} {
		azjson.Default(props, []any{}, "networkAcls", k)
	}
	acls := azjson.Map(props, "networkAcls")
	if a := azjson.Str(acls, "defaultAction"); a != "Allow" && a != "Deny" {
		return arm.BadRequest("InvalidRequestPropertyValue", "The value '%s' is not allowed for property networkAcls.defaultAction.", a)
	}
	for _, e := range azjson.List(acls, "virtualNetworkRules") {
		rule, ok := e.(azjson.Object)
		if !ok {
			return invalidValue("networkAcls.virtualNetworkRules[*]")
		}
		if err := p.judgeSubnet(azjson.Str(rule, "id")); err != nil {
			return err
		}
		azjson.Default(rule, "Allow", "action")
		rule["state"] = "Succeeded"
	}
	for _, e := range azjson.List(acls, "ipRules") {
		rule, ok := e.(azjson.Object)
		if !ok || !publicRange(azjson.Str(rule, "value")) {
			return invalidValue("networkAcls.ipRule[*].value")
		}
		azjson.Default(rule, "Allow", "action")
	}
	return nil
}

func invalidValue(parameter string) error {
	return arm.BadRequest("InvalidValuesForRequestParameters", "Values for request parameters are invalid: %s.", parameter).At(parameter)
}

// publicRange reports whether s is an IPv4 address or range that can stand in an ipRule: public, and at most a /30.
func publicRange(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Is4() && !a.IsPrivate()
	}
	pf, err := netip.ParsePrefix(s)
	return err == nil && pf.Addr().Is4() && !pf.Addr().IsPrivate() && pf.Bits() <= 30
}

// judgeSubnet wants a subnet that has a way to Microsoft.Storage.
func (p *Provider) judgeSubnet(id string) error {
	parsed, err := resourceid.Parse(id)
	if err != nil || !azjson.Fold(parsed.Type(), "Microsoft.Network/virtualNetworks/subnets") {
		return invalidValue("networkAcls.virtualNetworkRules[*].id")
	}
	vnet := p.s.Find(resourceid.ParentOf(id))
	for _, e := range azjson.List(bodyOf(vnet), "properties", "subnets") {
		if !azjson.Fold(azjson.Str(e, "name"), parsed.Name()) {
			continue
		}
		for _, s := range azjson.List(e, "properties", "serviceEndpoints") {
			if service := azjson.Str(s, "service"); azjson.Fold(service, "Microsoft.Storage") || azjson.Fold(service, "Microsoft.Storage.Global") {
				return nil
			}
		}
		return arm.BadRequest("NetworkAclsValidationFailure", "Validation of network acls failure: SubnetsHaveNoServiceEndpointsConfigured:Subnets %s of virtual network %s do not have ServiceEndpoints for Microsoft.Storage resources configured. Add Microsoft.Storage to subnet's ServiceEndpoints collection before trying to ACL Microsoft.Storage resources to these subnets..", parsed.Name(), vnet.ID)
	}
	return arm.BadRequest("NetworkAclsValidationFailure", "Validation of network acls failure: SubnetsNotFound:Subnet %s was not found.", id)
}

func bodyOf(r *arm.Resource) azjson.Object {
	if r == nil {
		return nil
	}
	return r.Body
}
