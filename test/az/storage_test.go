//go:build az

package az_test

import "strings"

func storageAccounts(c *cli) {
	c.in("az-storage")
	const accountType = "Microsoft.Storage/storageAccounts"
	const old, newer = "2019-06-01", "2022-09-01"
	id := c.id(accountType, "azfiles1")
	c.want("true", "storage account check-name -n azfiles1 --query nameAvailable")
	c.agrees(c.az("storage account create -g az-storage -n azfiles1 --kind FileStorage --sku Premium_LRS --https-only false --tags a=b"), id, old)
	c.want("false", "storage account check-name -n azfiles1 --query nameAvailable")
	c.agrees(c.az("storage account show -g az-storage -n azfiles1"), id, old)
	c.agrees(list(c.az("storage account list -g az-storage"))[0], id, old)
	c.agrees(c.az("storage account update -g az-storage -n azfiles1 --default-action Deny --set tags.c=d"), id, old)
	c.equal("rules", at(c.get(id, old), "properties", "networkAcls", "defaultAction"), "Deny")
	keys := list(c.az("storage account keys list -g az-storage -n azfiles1"))
	c.equal("keys", len(keys), 2)
	again := list(c.az("storage account keys renew -g az-storage -n azfiles1 --key primary"))
	if at(keys[0], "value") == at(again[0], "value") || at(keys[1], "value") != at(again[1], "value") {
		c.Error("renewing key1 should change key1 and nothing else")
	}
	c.refused(1, "StorageAccountAlreadyTaken", "storage account create -g az-storage -n test --sku Standard_LRS")
	c.refused(1, "", "storage account create -g az-storage -n Not-Valid --sku Standard_LRS")

	// Shares over NFS: Debian's hybrid profile cannot ask for them.
	n := c.newest()
	share := id + "/fileServices/default/shares/home"
	n.az("storage share-rm create -g az-storage --storage-account azfiles1 -n home --enabled-protocols NFS --quota 100 --root-squash RootSquash")
	stored := n.agrees(n.az("storage share-rm show -g az-storage --storage-account azfiles1 -n home"), share, newer)
	c.equal("protocol", at(stored, "properties", "enabledProtocols"), "NFS")
	c.equal("squash", at(stored, "properties", "rootSquash"), "RootSquash")
	shares := list(n.az("storage share-rm list -g az-storage --storage-account azfiles1"))
	c.equal("shares", len(shares), 1)
	n.agrees(shares[0], share, newer, "signedIdentifiers") // a list leaves them out
	n.az("storage share-rm update -g az-storage --storage-account azfiles1 -n home --quota 200 --root-squash NoRootSquash")
	stored = c.get(share, newer)
	c.equal("quota", at(stored, "properties", "shareQuota"), 200)
	c.equal("squash", at(stored, "properties", "rootSquash"), "NoRootSquash")
	n.refused(1, "InvalidHeaderValue", "storage share-rm create -g az-storage --storage-account azfiles1 -n small --enabled-protocols NFS --quota 99")
	n.agrees(n.az("storage account file-service-properties show -g az-storage -n azfiles1"), id+"/fileServices/default", newer)
	if all := c.run("storage account show -g az-storage -n azfiles1 -o json").out; strings.Contains(all, at(again[0], "value").(string)) {
		c.Error("the account shows a key")
	}
	n.az("storage share-rm delete -g az-storage --storage-account azfiles1 -n home --yes")
	c.gone(share, newer)
	c.az("storage account delete -g az-storage -n azfiles1 --yes")
	c.gone(id, old)
	c.az("group delete -n az-storage --yes --no-wait")
}
