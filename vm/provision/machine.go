package provision

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// createVM requests the VM and waits until it runs.
func (p *run) createVM(ctx context.Context, nic *armnetwork.Interface, ip *armnetwork.PublicIPAddress) (Details, error) {
	azure.Report(p.report, "creating vm "+p.cfg.Name+" ("+p.cfg.Size+")")
	p.left.add(p.vmID(p.cfg.ResourceGroup, p.cfg.Name))
	op, err := azure.Begin(ctx, p.azure, "create vm", p.cfg.Name, func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientCreateOrUpdateResponse], error) {
		return p.azure.VMs().BeginCreateOrUpdate(ctx, p.cfg.ResourceGroup, p.cfg.Name, p.model(azure.Value(nic.ID)),
			// Only if absent: a repeat after a lost answer must not change the VM that the first request made.
			&armcompute.VirtualMachinesClientBeginCreateOrUpdateOptions{IfNoneMatch: new("*")})
	})
	if err != nil {
		if existsAlready(err) {
			return p.goOn(ctx, err)
		}
		return Details{}, err
	}
	if p.watch != nil {
		accepted := Accepted{LookNow: op.LookNow}
		if ip != nil && ip.Properties != nil {
			accepted.PublicIP = azure.Value(ip.Properties.IPAddress)
		}
		p.watch(accepted)
	}
	last := ""
	made, err := op.Wait(ctx, func(s azure.OperationState) {
		if line := "vm " + p.cfg.Name + ": " + s.Status; line != last {
			last = line
			azure.Report(p.report, line+" after "+s.Elapsed.Round(time.Second).String())
		}
	})
	if err != nil {
		return Details{}, err
	}
	i := vm.FromModel(&made.VirtualMachine)
	a := vm.Addresses{Nics: map[string]*armnetwork.Interface{azure.IDKey(azure.Value(nic.ID)): nic}, Ips: map[string]*armnetwork.PublicIPAddress{}}
	if ip != nil {
		a.Ips[azure.IDKey(azure.Value(ip.ID))] = ip
	}
	a.Fill(&i)
	if i.PrivateIP == "" || ip != nil && i.PublicIP == "" { // the answers to the PUTs did not contain it yet
		if err := p.vms.ReadAddresses(ctx, &i); err != nil {
			return Details{}, err
		}
	}
	return p.details(i, false), nil
}

// existsAlready recognises Azure's refusal to create an existing VM, which may be ours if the answer to the first try was
// lost.
func existsAlready(err error) bool {
	code := azure.Code(err)
	return slices.ContainsFunc([]string{"PreconditionFailed", "ConditionNotMet", "PropertyChangeNotAllowed", "ResourceExists"},
		func(c string) bool { return strings.EqualFold(c, code) })
}

// goOn resumes with the existing VM, if it is ours.
func (p *run) goOn(ctx context.Context, cause error) (Details, error) {
	i, err := p.find(ctx)
	if err != nil {
		return Details{}, err
	}
	if i == nil {
		return Details{}, cause
	}
	d, done, err := p.adopt(ctx, *i)
	if err == nil && !done {
		err = &errkind.Error{
			Kind: errkind.Provisioning, Op: "create vm", Resource: p.cfg.Name,
			Err: errkind.New(errkind.Provisioning, "an earlier try failed and has been removed: run it again"),
		}
	}
	return d, err
}

// model is the VM's request body.
func (p *run) model(nicID string) armcompute.VirtualMachine {
	c := p.cfg
	m := armcompute.VirtualMachine{
		Location: new(c.Region),
		Tags:     azure.SDKTags(c.tags(p.now(), change.StepVM)),
		Identity: identityOf(c.Identity),
		Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes(c.Size))},
			StorageProfile:  p.storage(),
			NetworkProfile: &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{
				ID: new(nicID),
				Properties: &armcompute.NetworkInterfaceReferenceProperties{
					Primary: new(true), DeleteOption: to.Ptr(armcompute.DeleteOptionsDelete),
				},
			}}},
			DiagnosticsProfile: &armcompute.DiagnosticsProfile{BootDiagnostics: &armcompute.BootDiagnostics{Enabled: new(true)}},
		},
	}
	if c.Copy != nil { // the system is already set up
		m.Properties.SecurityProfile = c.Copy.Security(c.EncryptionAtHost)
	} else {
		m.Properties.OSProfile, m.Properties.SecurityProfile = osProfile(c), p.image.Security(p.size, c.EncryptionAtHost)
	}
	if c.Zone != "" {
		m.Zones = []*string{new(c.Zone)}
	}
	if c.Spot {
		m.Properties.Priority = to.Ptr(armcompute.VirtualMachinePriorityTypesSpot)
		m.Properties.EvictionPolicy = to.Ptr(armcompute.VirtualMachineEvictionPolicyTypesDeallocate)
		highest := -1.0 // up to the on-demand price
		if c.SpotMaxPrice > 0 {
			highest = c.SpotMaxPrice
		}
		m.Properties.BillingProfile = &armcompute.BillingProfile{MaxPrice: &highest}
	}
	return m
}

func (p *run) storage() *armcompute.StorageProfile {
	c := p.cfg
	osDisk := &armcompute.OSDisk{
		Name:         new(p.names.OSDisk),
		CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesFromImage),
		Caching:      to.Ptr(armcompute.CachingTypesReadWrite),
		DeleteOption: to.Ptr(armcompute.DiskDeleteOptionTypesDelete),
		ManagedDisk:  p.managedDisk(c.OSDiskType),
	}
	if c.OSDiskSizeGB > 0 {
		osDisk.DiskSizeGB = new(int32(c.OSDiskSizeGB)) // Validate bounds it
	}
	sp := &armcompute.StorageProfile{ImageReference: p.image.Reference, OSDisk: osDisk}
	if c.Copy != nil {
		sp, c.DataDisks = p.copiedStorage(), nil
	}
	for i, d := range c.DataDisks {
		sp.DataDisks = append(sp.DataDisks, &armcompute.DataDisk{
			Name: new(p.names.DataDisk(i)), Lun: new(int32(i)), DiskSizeGB: new(int32(d.SizeGB)),
			CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesEmpty),
			DeleteOption: to.Ptr(armcompute.DiskDeleteOptionTypesDelete),
			ManagedDisk:  p.managedDisk(d.Type),
		})
	}
	// Azure requires the controller type for sizes without SCSI.
	if len(p.size.DiskControllers) > 0 && !slices.Contains(p.size.DiskControllers, string(armcompute.DiskControllerTypesSCSI)) {
		sp.DiskControllerType = to.Ptr(armcompute.DiskControllerTypesNVMe)
	}
	return sp
}

func (p *run) managedDisk(kind string) *armcompute.ManagedDiskParameters {
	return &armcompute.ManagedDiskParameters{StorageAccountType: new(armcompute.StorageAccountTypes(p.size.DiskType(kind)))}
}

func osProfile(c Config) *armcompute.OSProfile {
	ssh := &armcompute.SSHConfiguration{}
	for _, key := range c.SSHPublicKeys {
		ssh.PublicKeys = append(ssh.PublicKeys, &armcompute.SSHPublicKey{
			Path: new("/home/" + c.AdminUsername + "/.ssh/authorized_keys"), KeyData: new(strings.TrimSpace(key)),
		})
	}
	p := &armcompute.OSProfile{
		ComputerName:  new(c.Name),
		AdminUsername: new(c.AdminUsername),
		LinuxConfiguration: &armcompute.LinuxConfiguration{
			DisablePasswordAuthentication: new(true), ProvisionVMAgent: new(true), SSH: ssh,
		},
	}
	if len(c.CustomData) > 0 {
		p.CustomData = new(base64.StdEncoding.EncodeToString(c.CustomData))
	}
	return p
}

func identityOf(s string) *armcompute.VirtualMachineIdentity {
	switch s {
	case "":
		return nil
	case "system":
		return &armcompute.VirtualMachineIdentity{Type: to.Ptr(armcompute.ResourceIdentityTypeSystemAssigned)}
	}
	return &armcompute.VirtualMachineIdentity{
		Type:                   to.Ptr(armcompute.ResourceIdentityTypeUserAssigned),
		UserAssignedIdentities: map[string]*armcompute.UserAssignedIdentitiesValue{s: {}},
	}
}
