package storage

import (
	"net/http"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

func (p *Provider) fileServices() {
	s, v := p.s, fileVersions()
	s.Handle(http.MethodGet, services, v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.account(c)
		if err != nil {
			return nil, err
		}
		return reply(arm.OK(azjson.Object{"value": []any{serviceOf(r)}})), nil
	})
	s.Handle(http.MethodGet, oneService, v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.account(c)
		if err != nil {
			return nil, err
		}
		if err := onlyDefault(c); err != nil {
			return nil, err
		}
		return reply(arm.OK(serviceOf(r))), nil
	})
	s.Handle(http.MethodPut, oneService, v, p.putService)
}

// onlyDefault refuses any name of a file service but the one there is.
func onlyDefault(c *arm.Call) error {
	if azjson.Fold(c.Param("FileServicesName"), "default") {
		return nil
	}
	return arm.BadRequest("InvalidServiceName", "The service name '%s' is invalid: it must be 'default'.", c.Param("FileServicesName"))
}

// serviceOf is the file service of an account: what was set, or else the defaults.
func serviceOf(account *arm.Resource) azjson.Object {
	props := azjson.Clone(azjson.Map(account.Hidden, "fileService"))
	if props == nil {
		props = azjson.Object{}
	}
	azjson.Default(props, azjson.Object{"corsRules": []any{}}, "cors")
	azjson.Default(props, azjson.Object{"enabled": true, "days": 7}, "shareDeleteRetentionPolicy")
	azjson.Default(props, azjson.Object{}, "protocolSettings", "smb")
	if azjson.Str(account.Body, "kind") == "FileStorage" {
		azjson.Default(props, true, "protocolSettings", "smb", "multichannel", "enabled")
	}
	return azjson.Object{
		"sku": azjson.Clone(account.Body["sku"]), "id": account.ID + "/fileServices/default", "name": "default", "type": FileServiceType, "properties": props,
	}
}

// putService answers what was sent, without the account's sku.
func (p *Provider) putService(c *arm.Call) (*arm.Reply, error) {
	r, err := p.account(c)
	if err != nil {
		return nil, err
	}
	if err := onlyDefault(c); err != nil {
		return nil, err
	}
	azjson.WithoutNulls(c.Body)
	given := azjson.Map(c.Body, "properties")
	if given == nil {
		return reply(arm.OK(azjson.Object{})), nil
	}
	if days, ok := azjson.Int(given, "shareDeleteRetentionPolicy", "days"); ok && (days < 1 || days > 365) {
		return nil, arm.BadRequest("InvalidXmlNodeValue", "The value for one of the XML nodes is not in the correct format.")
	}
	kept := azjson.Map(r.Hidden, "fileService")
	if kept == nil {
		kept = azjson.Object{}
	}
	azjson.Merge(kept, given)
	r.Hidden["fileService"] = kept
	p.s.Touch(r)
	return reply(arm.OK(azjson.Object{"id": r.ID + "/fileServices/default", "name": "default", "type": FileServiceType, "properties": given})), nil
}
