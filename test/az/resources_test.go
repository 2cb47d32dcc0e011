//go:build az

package az_test

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// anyResources are the commands that work on resources of every type.
func anyResources(c *cli) {
	c.in("az-resources")
	c.az("disk create -g az-resources -n d1 --size-gb 4 --tags team=red")
	c.az("disk create -g az-resources -n d2 --size-gb 4")
	id := c.id("Microsoft.Compute/disks", "d1")
	for line, want := range map[string]int{
		"resource list -g az-resources":                                         2,
		"resource list -g az-resources --resource-type Microsoft.Compute/disks": 2,
		"resource list --tag team=red":                                          1,
		"resource list -g az-resources -n d2":                                   1,
	} {
		c.equal(line, len(list(c.az(line))), want)
	}
	found := list(c.az("resource list --tag team=red"))
	c.equal("found by tag", at(found, "id"), id)
	c.equal("tags in a list filtered by tag", at(found, "tags"), nil) // Azure leaves them out
	c.equal("tags in the list", at(list(c.az("resource list -g az-resources -n d1")), "tags"), map[string]string{"team": "red"})

	const newest = "2026-03-02" // resource commands take the newest version there is
	stored := c.get(id, newest)
	shown := c.az("resource show --ids " + id)
	for _, d := range differences(at(shown, "properties"), stored["properties"]) {
		c.Error(d)
	}
	c.az("resource tag --ids " + id + " --tags a=b c=d")
	c.equal("tags", c.get(id, newest)["tags"], map[string]string{"a": "b", "c": "d"})
	c.az("resource delete --ids " + id)
	c.gone(id, newest)

	// az rest sends what it is told to.
	other := c.id("Microsoft.Compute/disks", "d2")
	read := c.az("rest --method get --url " + other + "?api-version=" + diskVersion)
	c.equal("read", read, c.get(other, diskVersion))
	body, _ := json.Marshal(map[string]any{"tags": map[string]string{"by": "rest"}})
	c.az("rest --method patch --url "+other+"?api-version="+diskVersion+" --body", string(body))
	c.equal("written", c.get(other, diskVersion)["tags"], map[string]string{"by": "rest"})
	c.refused(1, "NoRegisteredProviderFound", "rest --method get --url "+other+"?api-version=2031-01-01")

	sub := "/subscriptions/" + c.SubscriptionID
	providers := map[any]any{}
	for _, p := range list(c.az("provider list")) {
		providers[at(p, "namespace")] = p
	}
	known := list(c.get(sub+"/providers", "2019-10-01")["value"])
	c.equal("providers", len(providers), len(known))
	for _, p := range known {
		for _, d := range differences(providers[at(p, "namespace")], p) {
			c.Error(d)
		}
	}
	shown = c.az("provider show -n Microsoft.Storage")
	for _, d := range differences(shown, c.get(sub+"/providers/Microsoft.Storage", "2019-10-01")) {
		c.Error(d)
	}
	c.az("group delete -n az-resources --yes --no-wait")
}

// deployments are templates.
func deployments(c *cli) {
	c.in("az-deployments")
	template := filepath.Join(c.TempDir(), "template.json")
	text := `{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#","contentVersion":"1.0.0.0",
"parameters":{"name":{"type":"string"}},
"resources":[{"type":"Microsoft.Network/networkSecurityGroups","apiVersion":"2018-11-01","name":"[parameters('name')]","location":"westus2","properties":{"securityRules":[]}}],
"outputs":{"made":{"type":"string","value":"[parameters('name')]"}}}`
	if err := os.WriteFile(template, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	valid := c.az("deployment group validate -g az-deployments -n try --template-file " + template + " --parameters name=tried")
	c.equal("validated", at(valid, "properties", "provisioningState"), "Succeeded")
	c.gone(c.id(nsgType, "tried"), networkVersion)
	c.refused(1, "", "deployment group validate -g az-deployments -n try --template-file "+template)
	made := c.az("deployment group create -g az-deployments -n first --template-file " + template + " --parameters name=made")
	c.equal("output", at(made, "properties", "outputs", "made", "value"), "made")
	id := c.id("Microsoft.Resources/deployments", "first")
	stored := c.get(id, "2019-10-01")
	c.equal("state", at(stored, "properties", "provisioningState"), "Succeeded")
	for _, shown := range []any{made, c.az("deployment group show -g az-deployments -n first"), at2(c.az("deployment group list -g az-deployments"), 0)} {
		for _, path := range [][]string{{"id"}, {"name"}, {"properties", "provisioningState"}, {"properties", "correlationId"}, {"properties", "mode"}, {"properties", "parameters"}, {"properties", "outputs"}} {
			c.equal("deployment's "+path[len(path)-1], at(shown, path...), at(stored, path...))
		}
	}
	c.equal("the resource", c.get(c.id(nsgType, "made"), networkVersion)["name"], "made")
	operation := at(c.az("deployment operation group list -g az-deployments -n first"), "properties", "targetResource", "resourceName")
	c.equal("operation", operation, "made")
	c.refused(1, "DeploymentCannotBeCancelled", "deployment group cancel -g az-deployments -n first")
	c.az("deployment group delete -g az-deployments -n first")
	c.refused(3, "DeploymentNotFound", "deployment group show -g az-deployments -n first")
	c.az("group delete -n az-deployments --yes --no-wait")
}

func at2(v any, i int) any { return list(v)[i] }

// tagsAndLocks are what hangs on resources.
func tagsAndLocks(c *cli) {
	c.in("az-locks")
	c.az("disk create -g az-locks -n kept --size-gb 4 --tags one=1")
	id := c.id("Microsoft.Compute/disks", "kept")
	tags := func() any { return c.get(id, diskVersion)["tags"] }
	c.equal("merged", at(c.az("tag update --resource-id "+id+" --operation Merge --tags two=2"), "properties", "tags"), map[string]string{"one": "1", "two": "2"})
	c.equal("stored", tags(), map[string]string{"one": "1", "two": "2"})
	c.equal("listed", at(c.az("tag list --resource-id "+id), "properties", "tags"), tags())
	c.az("tag update --resource-id " + id + " --operation Delete --tags one=1")
	c.equal("deleted", tags(), map[string]string{"two": "2"})
	c.az("tag create --resource-id " + id + " --tags only=this")
	c.equal("replaced", tags(), map[string]string{"only": "this"})
	c.want("only", "tag list --query", "[?tagName=='only'].tagName")
	c.az("tag delete --resource-id " + id + " --yes")
	if left := object(tags()); len(left) > 0 {
		c.Errorf("tags are left: %v", left)
	}

	lock := id + "/providers/Microsoft.Authorization/locks/stay"
	made := c.az("lock create -n stay --lock-type CanNotDelete -g az-locks --resource-type Microsoft.Compute/disks --resource kept --notes why")
	c.agrees(made, lock, "2016-09-01")
	c.agrees(list(c.az("lock list -g az-locks"))[0], lock, "2016-09-01")
	c.refused(1, "ScopeLocked", "disk delete -g az-locks -n kept --yes")
	c.az("lock delete --ids " + lock)
	c.gone(lock, "2016-09-01")
	c.az("lock create -n all --lock-type ReadOnly -g az-locks")
	c.refused(1, "ScopeLocked", "disk create -g az-locks -n new --size-gb 4")
	c.az("lock delete -n all -g az-locks")
	c.az("disk delete -g az-locks -n kept --yes")
	c.gone(id, diskVersion)
	c.az("group delete -n az-locks --yes --no-wait")
}
