package azure

import (
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

// clients holds the official clients. They are created individually: a client factory would link a service's whole API into
// every build.
type clients struct {
	vms             *armcompute.VirtualMachinesClient
	disks           *armcompute.DisksClient
	snapshots       *armcompute.SnapshotsClient
	galleries       *armcompute.GalleriesClient
	galleryImages   *armcompute.GalleryImagesClient
	galleryVersions *armcompute.GalleryImageVersionsClient
	images          *armcompute.VirtualMachineImagesClient
	skus            *armcompute.ResourceSKUsClient
	usages          *armcompute.UsageClient
	nics            *armnetwork.InterfacesClient
	ips             *armnetwork.PublicIPAddressesClient
	nsgs            *armnetwork.SecurityGroupsClient
	rules           *armnetwork.SecurityRulesClient
	vnets           *armnetwork.VirtualNetworksClient
	subnets         *armnetwork.SubnetsClient
	netUsages       *armnetwork.UsagesClient
	bastions        *armnetwork.BastionHostsClient
	nats            *armnetwork.NatGatewaysClient
	groups          *armresources.ResourceGroupsClient
	tags            *armresources.TagsClient
	resources       *armresources.Client
}

func newClients(sub string, cred azcore.TokenCredential, o *arm.ClientOptions) (clients, error) {
	var c clients
	errs := make([]error, 21)
	c.vms, errs[0] = armcompute.NewVirtualMachinesClient(sub, cred, o)
	c.disks, errs[1] = armcompute.NewDisksClient(sub, cred, o)
	c.images, errs[2] = armcompute.NewVirtualMachineImagesClient(sub, cred, o)
	c.skus, errs[3] = armcompute.NewResourceSKUsClient(sub, cred, o)
	c.usages, errs[4] = armcompute.NewUsageClient(sub, cred, o)
	c.nics, errs[5] = armnetwork.NewInterfacesClient(sub, cred, o)
	c.ips, errs[6] = armnetwork.NewPublicIPAddressesClient(sub, cred, o)
	c.nsgs, errs[7] = armnetwork.NewSecurityGroupsClient(sub, cred, o)
	c.rules, errs[8] = armnetwork.NewSecurityRulesClient(sub, cred, o)
	c.vnets, errs[9] = armnetwork.NewVirtualNetworksClient(sub, cred, o)
	c.subnets, errs[10] = armnetwork.NewSubnetsClient(sub, cred, o)
	c.netUsages, errs[11] = armnetwork.NewUsagesClient(sub, cred, o)
	c.groups, errs[12] = armresources.NewResourceGroupsClient(sub, cred, o)
	c.tags, errs[13] = armresources.NewTagsClient(sub, cred, o)
	c.resources, errs[14] = armresources.NewClient(sub, cred, o)
	c.bastions, errs[15] = armnetwork.NewBastionHostsClient(sub, cred, o)
	c.nats, errs[16] = armnetwork.NewNatGatewaysClient(sub, cred, o)
	c.snapshots, errs[17] = armcompute.NewSnapshotsClient(sub, cred, o)
	c.galleries, errs[18] = armcompute.NewGalleriesClient(sub, cred, o)
	c.galleryImages, errs[19] = armcompute.NewGalleryImagesClient(sub, cred, o)
	c.galleryVersions, errs[20] = armcompute.NewGalleryImageVersionsClient(sub, cred, o)
	return c, errors.Join(errs...)
}

// VMs is the client of Microsoft.Compute/virtualMachines.
func (c *Client) VMs() *armcompute.VirtualMachinesClient { return c.clients.vms }

// Disks is the client of Microsoft.Compute/disks.
func (c *Client) Disks() *armcompute.DisksClient { return c.clients.disks }

// Snapshots is the client of Microsoft.Compute/snapshots.
func (c *Client) Snapshots() *armcompute.SnapshotsClient { return c.clients.snapshots }

// Galleries is the client of Microsoft.Compute/galleries.
func (c *Client) Galleries() *armcompute.GalleriesClient { return c.clients.galleries }

// GalleryImages is the client of the image definitions in galleries.
func (c *Client) GalleryImages() *armcompute.GalleryImagesClient { return c.clients.galleryImages }

// GalleryVersions is the client of the versions of images in galleries.
func (c *Client) GalleryVersions() *armcompute.GalleryImageVersionsClient {
	return c.clients.galleryVersions
}

// Images is the client of the marketplace's VM images.
func (c *Client) Images() *armcompute.VirtualMachineImagesClient { return c.clients.images }

// SKUs is the client of Microsoft.Compute/skus: sizes, their capabilities and restrictions.
func (c *Client) SKUs() *armcompute.ResourceSKUsClient { return c.clients.skus }

// ComputeUsages is the client of a region's compute quotas.
func (c *Client) ComputeUsages() *armcompute.UsageClient { return c.clients.usages }

// NICs is the client of Microsoft.Network/networkInterfaces.
func (c *Client) NICs() *armnetwork.InterfacesClient { return c.clients.nics }

// PublicIPs is the client of Microsoft.Network/publicIPAddresses.
func (c *Client) PublicIPs() *armnetwork.PublicIPAddressesClient { return c.clients.ips }

// NSGs is the client of Microsoft.Network/networkSecurityGroups.
func (c *Client) NSGs() *armnetwork.SecurityGroupsClient { return c.clients.nsgs }

// SecurityRules is the client of the rules in network security groups.
func (c *Client) SecurityRules() *armnetwork.SecurityRulesClient { return c.clients.rules }

// VNets is the client of Microsoft.Network/virtualNetworks.
func (c *Client) VNets() *armnetwork.VirtualNetworksClient { return c.clients.vnets }

// Subnets is the client of the subnets in virtual networks.
func (c *Client) Subnets() *armnetwork.SubnetsClient { return c.clients.subnets }

// NetworkUsages is the client of a region's network quotas.
func (c *Client) NetworkUsages() *armnetwork.UsagesClient { return c.clients.netUsages }

// Bastions is the client of Microsoft.Network/bastionHosts.
func (c *Client) Bastions() *armnetwork.BastionHostsClient { return c.clients.bastions }

// NATGateways is the client of Microsoft.Network/natGateways.
func (c *Client) NATGateways() *armnetwork.NatGatewaysClient { return c.clients.nats }

// ResourceGroups is the client of resource groups.
func (c *Client) ResourceGroups() *armresources.ResourceGroupsClient { return c.clients.groups }

// TagsAPI is the client of Microsoft.Resources/tags; most callers should use MergeTags.
func (c *Client) TagsAPI() *armresources.TagsClient { return c.clients.tags }

// Resources is the client of the resource list across types.
func (c *Client) Resources() *armresources.Client { return c.clients.resources }
