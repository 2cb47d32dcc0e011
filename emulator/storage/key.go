package storage

import (
	"net/http"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

func (p *Provider) keys() {
	s, v := p.s, Versions()
	shown := func(r *arm.Resource) azjson.Object {
		l := []any{}
		for _, name := range []string{"key1", "key2"} {
			l = append(l, azjson.Object{
				"creationTime": azjson.Str(r.Body, "properties", "keyCreationTime", name), "keyName": name,
				"value": azjson.Str(r.Hidden, name), "permissions": "FULL",
			})
		}
		return azjson.Object{"keys": l}
	}
	s.Handle(http.MethodPost, oneAccount+"/listKeys", v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.account(c)
		if err != nil {
			return nil, err
		}
		return reply(arm.OK(shown(r))), nil
	})
	s.Handle(http.MethodPost, oneAccount+"/regenerateKey", v, func(c *arm.Call) (*arm.Reply, error) {
		r, err := p.account(c)
		if err != nil {
			return nil, err
		}
		name := azjson.Str(c.Body, "keyName")
		if name != "key1" && name != "key2" {
			return nil, arm.BadRequest("InvalidRequestPropertyValue", "The value '%s' is not allowed for property keyName.", name)
		}
		r.Hidden[name] = newKey()
		azjson.Put(r.Body, stamp(c.Now), "properties", "keyCreationTime", name)
		p.s.Touch(r)
		return reply(arm.OK(shown(r))), nil
	})
}
