package catalogue

import (
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Source is what the disk of a new VM's system is made from.
type Source struct {
	Image

	Version     string        // exact version of the image; "" for an attached disk
	Reference   azjson.Object // what the disk says that it was made from
	GB          int           // the least that the disk may have
	Controllers []string      // disk controllers that it can boot from; nil: nothing is known
	Content     string        // the key of what is on it; empty: what the hosts make by themselves
	TrustedOnly bool          // VMs of another security type are refused
	Specialized bool          // it is set up already
}

// Marketplace is the source that an image of the marketplace is.
func Marketplace(subscription string, i Image, version, location string) Source {
	id := "/Subscriptions/" + subscription + "/Providers/Microsoft.Compute/Locations/" + location + "/Publishers/" + strings.ToLower(i.Publisher) +
		"/ArtifactTypes/VMImage/Offers/" + i.Offer + "/Skus/" + i.SKU + "/Versions/" + version
	return Source{
		Image: i, Version: version, GB: ImageGB, Controllers: i.Controllers(),
		Reference: azjson.Object{"createOption": "FromImage", "imageReference": azjson.Object{"id": id}},
	}
}
