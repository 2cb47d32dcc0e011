//go:build az

package az_test

func groups(c *cli) {
	const version = "2019-10-01"
	c.group = "az-groups"
	id := "/subscriptions/" + c.SubscriptionID + "/resourceGroups/" + c.group
	c.want("false", "group exists -n az-groups")
	made := c.az("group create -n az-groups -l westus2 --tags env=test owner=me")
	c.agrees(made, id, version)
	c.agrees(c.az("group show -n az-groups"), id, version)
	c.want("true", "group exists -n AZ-GROUPS")
	c.agrees(c.named(c.az("group list"), "az-groups"), id, version)
	c.equal("by tag", at(c.az("group list --tag env=test"), "name"), "az-groups")
	c.agrees(c.az("group update -n az-groups --set tags.more=x"), id, version)
	c.equal("tags", at(c.get(id, version), "tags"), map[string]string{"env": "test", "owner": "me", "more": "x"})
	c.refused(1, "InvalidResourceGroupLocation", "group create -n az-groups -l eastus")
	c.refused(3, "ResourceGroupNotFound", "group show -n az-none")
	c.az("group delete -n az-groups --yes")
	c.want("false", "group exists -n az-groups")
	c.gone(id, version)
}
