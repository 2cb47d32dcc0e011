//go:build az

package az_test

// The api-versions that az 2.45 asks for in profile "latest"; the older one does not know yet that images have an
// architecture.
const (
	galleryVersion    = "2022-03-03"
	definitionVersion = "2021-10-01"
)

// images are galleries, images in them and VMs from those, which only the profile "latest" knows.
func images(c *cli) {
	const galleryType = "Microsoft.Compute/galleries"
	c.in("az-images")
	n := c.newest()
	gallery := c.id(galleryType, "shelf")
	definition, version := gallery+"/images/base", gallery+"/images/base/versions/1.0.0"

	c.agrees(n.az("sig create -g az-images -r shelf --description ours --tags a=b"), gallery, galleryVersion)
	c.agrees(n.az("sig show -g az-images -r shelf"), gallery, galleryVersion)
	c.agrees(c.named(n.az("sig list -g az-images"), "shelf"), gallery, galleryVersion)
	n.refused(3, "ParentResourceNotFound", "sig image-definition create -g az-images -r none -i base --publisher us --offer ours --sku base --os-type Linux")
	c.agrees(n.az("sig image-definition create -g az-images -r shelf -i base --publisher us --offer ours --sku base --os-type Linux --os-state Generalized --hyper-v-generation V2"), definition, definitionVersion)
	c.agrees(n.az("sig image-definition show -g az-images -r shelf -i base"), definition, definitionVersion)
	c.agrees(c.named(n.az("sig image-definition list -g az-images -r shelf"), "base"), definition, definitionVersion)

	c.az("vm create -g az-images -n vm --image Debian12 --size Standard_B2s --admin-username worker --ssh-key-values " + c.key + ".pub --nsg-rule NONE")
	vm := c.id(vmType, "vm")
	publish := "sig image-version create -g az-images -r shelf -i base -e 1.0.0 --virtual-machine " + vm
	n.refused(1, "has a different OS state ['Specialized'] than the parent gallery image OS state ['Generalized']", publish)
	c.az("vm run-command invoke -g az-images -n vm --command-id RunShellScript --scripts", "echo baked >/opt/baked")
	c.az("vm deallocate -g az-images -n vm")
	c.az("vm generalize -g az-images -n vm")
	c.agrees(n.az(publish), version, galleryVersion)
	c.agrees(n.az("sig image-version show -g az-images -r shelf -i base -e 1.0.0"), version, galleryVersion)
	c.agrees(c.named(n.az("sig image-version list -g az-images -r shelf -i base"), "1.0.0"), version, galleryVersion)
	c.equal("source", at(c.get(version, galleryVersion), "properties", "storageProfile", "source", "id"), vm)

	// A VM from it begins with what was there.
	n.az("vm create -g az-images -n next --image "+definition+" --size Standard_B2s --admin-username worker --ssh-key-values "+c.key+".pub --nsg-rule NONE --public-ip-address", "")
	c.equal("version", at(c.get(c.id(vmType, "next"), "2022-08-01"), "properties", "storageProfile", "imageReference", "exactVersion"), "1.0.0")
	run := at(c.az("vm run-command invoke -g az-images -n next --command-id RunShellScript --scripts", "cat /opt/baked; hostname"), "value")
	c.matches("what was baked", at(run, "message"), `(?s)\[stdout\]\nbaked\nnext\n`)

	n.refused(1, "nested resources", "sig delete -g az-images -r shelf")
	n.az("sig image-version delete -g az-images -r shelf -i base -e 1.0.0")
	c.gone(version, galleryVersion)
	n.az("sig image-definition delete -g az-images -r shelf -i base")
	n.az("sig delete -g az-images -r shelf")
	c.gone(gallery, galleryVersion)
	c.az("group delete -n az-images --yes --no-wait")
}
