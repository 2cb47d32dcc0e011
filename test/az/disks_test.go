//go:build az

package az_test

import (
	"strconv"

	"github.com/azlin-dev/azlin/test/az"
)

func differences(printed, stored any) []string { return az.Differences(printed, stored, renamed) }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// disks are disks and snapshots by themselves.
func disks(c *cli) {
	c.in("az-disks")
	const diskType, snapshotType = "Microsoft.Compute/disks", "Microsoft.Compute/snapshots"
	id := c.id(diskType, "d1")
	c.agrees(c.az("disk create -g az-disks -n d1 --size-gb 10 --sku Premium_LRS --tags a=b"), id, diskVersion)
	stored := c.agrees(c.az("disk show -g az-disks -n d1"), id, diskVersion)
	c.equal("size", at(stored, "properties", "diskSizeGB"), 10)
	c.equal("state", at(stored, "properties", "diskState"), "Unattached")
	c.agrees(list(c.az("disk list -g az-disks"))[0], id, diskVersion)
	c.agrees(c.az("disk update -g az-disks -n d1 --size-gb 20 --set tags.c=d"), id, diskVersion)
	c.equal("new size", at(c.get(id, diskVersion), "properties", "diskSizeGB"), 20)
	c.refused(1, "", "disk update -g az-disks -n d1 --size-gb 5") // disks do not shrink

	snap := c.id(snapshotType, "s1")
	c.agrees(c.az("snapshot create -g az-disks -n s1 --source d1 --tags x=y"), snap, diskVersion)
	c.equal("source", at(c.get(snap, diskVersion), "properties", "creationData", "sourceResourceId"), id)
	c.agrees(c.az("snapshot show -g az-disks -n s1"), snap, diskVersion)
	c.agrees(list(c.az("snapshot list -g az-disks"))[0], snap, diskVersion)
	c.agrees(c.az("snapshot update -g az-disks -n s1 --set tags.z=1"), snap, diskVersion)

	copied := c.id(diskType, "d2")
	c.agrees(c.az("disk create -g az-disks -n d2 --source s1"), copied, diskVersion)
	c.equal("size of a copy", at(c.get(copied, diskVersion), "properties", "diskSizeGB"), 20)
	c.equal("source of a copy", at(c.get(copied, diskVersion), "properties", "creationData", "sourceResourceId"), snap)

	c.az("snapshot delete -g az-disks -n s1")
	c.gone(snap, diskVersion)
	c.az("disk delete -g az-disks -n d1 --yes")
	c.gone(id, diskVersion)
	c.refused(3, "ResourceNotFound", "disk show -g az-disks -n d1")
	c.az("group delete -n az-disks --yes --no-wait")
}
