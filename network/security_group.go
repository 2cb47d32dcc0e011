package network

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/ensure"
)

// advice is the suggestion when a derived name belongs to somebody else.
const advice = "choose another name"

// EnsureSecurityGroup returns the id of a network security group that contains an operator's rule
// (networkSecurityGroups/createOrUpdate, securityRules/createOrUpdate). Without sources it has no rule.
func (s *Service) EnsureSecurityGroup(ctx context.Context, p Place, name string, a SSHAccess) (string, error) {
	id := s.id(p.Group, "networkSecurityGroups", name)
	unlock, err := s.locks.Lock(ctx, azure.IDKey(id)) // the first VM of a pool creates it for the others
	if err != nil {
		return "", azure.Wrap("create network security group", name, err)
	}
	defer unlock()
	group, _, err := ensure.Ensure(ctx, s.azure, ensure.Resource[armnetwork.SecurityGroup]{
		Kind: "network security group", Name: name, ID: id, Region: p.Region, Advice: advice, Report: p.Report, Left: p.Left,
		Get: func(ctx context.Context) (armnetwork.SecurityGroup, error) {
			resp, err := s.azure.NSGs().Get(ctx, p.Group, name, nil)
			return resp.SecurityGroup, err
		},
		Read: func(m *armnetwork.SecurityGroup) ensure.Existing {
			return ensure.Existing{ID: id, Location: azure.Value(m.Location), Tags: m.Tags}
		},
		Create: func(ctx context.Context) (armnetwork.SecurityGroup, error) {
			resp, err := azure.Run(ctx, s.azure, "create network security group", name, func(ctx context.Context) (*runtime.Poller[armnetwork.SecurityGroupsClientCreateOrUpdateResponse], error) {
				return s.azure.NSGs().BeginCreateOrUpdate(ctx, p.Group, name, armnetwork.SecurityGroup{
					Location: new(p.Region), Tags: azure.SDKTags(p.Tags),
					// In the same request, to save one. An existing group is never rewritten, only its rules.
					Properties: &armnetwork.SecurityGroupPropertiesFormat{SecurityRules: a.firstRules()},
				}, nil)
			})
			return resp.SecurityGroup, err
		},
	})
	if err != nil || len(a.Sources) == 0 {
		return id, err
	}
	return id, s.allow(ctx, p.Group, &group, a)
}
