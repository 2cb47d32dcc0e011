package provision

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/disk"
)

// Config is everything a new VM is made from. Name, ResourceGroup, Region and Size are required; so are SSHPublicKeys unless
// Copy is set, and SSHSources unless Private is set.
type Config struct {
	Name          string
	SessionName   string // empty: Name
	ResourceGroup string // created if absent
	Region        string
	Size          string // "Standard_D4s_v5"
	Image         string // see ValidateImage; empty: Ubuntu 24.04 matching Size
	Zone          string // "1", "2", "3"; empty: Azure's choice

	AdminUsername string   // empty: "azureuser"
	SSHPublicKeys []string // authorized_keys lines, ed25519 or RSA
	SSHKeyPath    string   // goes into Details; not read
	CustomData    []byte   // cloud-init; secret, never logged

	Copy *disk.Copy // made from copies of another VM's disks; nil: from Image

	OSDiskSizeGB int    // 0: the image's
	OSDiskType   string // "Premium_LRS"; empty: premium where Size supports it, else standard SSD
	DataDisks    []DataDisk

	Spot             bool    // Azure may evict it, and then deallocates it
	Identity         string  // empty: none; "system"; or the ARM id of a user-assigned identity
	EncryptionAtHost bool    // requires a feature registered in the subscription
	SpotMaxPrice     float64 // for Spot: US dollars per hour above which Azure may evict it; 0: the full price
	Tags             map[string]string
	Template         string // name of the template, goes into the tag azlin-template; empty: none
	Pool             string // its pool, whose VMs share a security group; goes into the tag azlin-pool
	Owner            string // goes into the tag azlin-owner
	Bakes            string // NAME:VERSION of the image for which this temporary VM is created; goes into the tag azlin-image
	Source           string // for Copy: name of the VM that has the disks; goes into the tag azlin-source

	Private    bool           // no public address; the caller provides a way in
	NATGateway bool           // give the private subnet of the shared network a NAT gateway, if it has none
	SubnetID   string         // an existing subnet, which is not changed; empty: one of the region's shared network
	SSHSources []netip.Prefix // who may reach SSHPort
	SSHRule    string         // SSHRuleName(operator); empty: derived from Owner
	SSHPort    int            // 0: 22

	HostKey     string // public SSH host key, goes into the tag azlin-host-key
	OperationID string // a second run with the same id resumes the first; empty: a new id
}

// DataDisk is an empty disk to create and attach.
type DataDisk struct {
	SizeGB int
	Type   string // as Config.OSDiskType
}

const (
	defaultAdmin  = "azureuser"
	maxCustomData = 65535 // bytes, before encoding
)

// withDefaults fills empty fields as Config's documentation describes.
func (c Config) withDefaults() Config {
	if c.SessionName == "" {
		c.SessionName = c.Name
	}
	if c.AdminUsername == "" {
		c.AdminUsername = defaultAdmin
	}
	if c.SSHRule == "" {
		c.SSHRule = network.SSHRuleName(c.Owner)
	}
	if c.SSHPort == 0 {
		c.SSHPort = 22
	}
	if c.OperationID == "" {
		c.OperationID = newOperationID()
	}
	return c
}

// Validate checks everything that can be known without a request.
func (c Config) Validate() error {
	bad := func(format string, args ...any) error { return errkind.New(errkind.Invalid, format, args...) }
	c = c.withDefaults()
	if err := vm.ValidateName(c.Name); err != nil {
		return err
	}
	if err := vm.ValidSession(c.SessionName); err != nil {
		return err
	}
	for what, v := range map[string]string{"resource group": c.ResourceGroup, "region": c.Region, "size": c.Size} {
		if v == "" || strings.ContainsAny(v, "/?#% \t\n") {
			return bad("%s %q: give its name", what, v)
		}
	}
	if err := validAdmin(c.AdminUsername); err != nil {
		return err
	}
	if err := catalog.ValidateImage(c.Image); err != nil {
		return err
	}
	if c.Copy != nil {
		if err := c.validCopy(); err != nil {
			return err
		}
	} else if len(c.SSHPublicKeys) == 0 {
		return bad("no SSH public key is given, and password sign-in is off")
	}
	for _, key := range c.SSHPublicKeys {
		if err := validPublicKey(key); err != nil {
			return err
		}
	}
	if len(c.CustomData) > maxCustomData {
		return bad("cloud-init data has %d bytes, Azure allows %d", len(c.CustomData), maxCustomData)
	}
	if c.OSDiskSizeGB < 0 || c.OSDiskSizeGB > 4095 {
		return bad("OS disk of %d GB: use up to 4095", c.OSDiskSizeGB)
	}
	for i, d := range c.DataDisks {
		if d.SizeGB < 1 || d.SizeGB > 32767 {
			return bad("data disk %d of %d GB: use 1 to 32767", i, d.SizeGB)
		}
	}
	if c.NATGateway && (!c.Private || c.SubnetID != "") {
		return bad("a NAT gateway is made for a private VM in the shared network only")
	}
	if c.SpotMaxPrice < 0 || c.SpotMaxPrice > 0 && !c.Spot {
		return bad("a spot price of %g: give one above zero, for a spot VM", c.SpotMaxPrice)
	}
	if c.Pool != "" {
		if err := vm.ValidateName(c.Pool); err != nil {
			return err
		}
	}
	if c.Zone != "" && !slices.Contains([]string{"1", "2", "3"}, c.Zone) {
		return bad("zone %q: use 1, 2 or 3", c.Zone)
	}
	if !c.Private && len(c.SSHSources) == 0 {
		return bad("no source address is admitted to SSH: give one")
	}
	for _, p := range c.SSHSources {
		if !p.IsValid() {
			return bad("a source address for SSH is not valid")
		}
	}
	if c.SSHPort < 1 || c.SSHPort > 65535 {
		return bad("port %d does not exist", c.SSHPort)
	}
	if !strings.HasPrefix(c.SSHRule, network.SSHRulePrefix) {
		return bad("rule name %q: it begins with %s", c.SSHRule, network.SSHRulePrefix)
	}
	if c.SubnetID != "" {
		if id, err := azure.ParseID(c.SubnetID); err != nil || !id.IsType("Microsoft.Network/virtualNetworks/subnets") {
			return bad("%q is not the id of a subnet", c.SubnetID)
		}
	}
	if c.Identity != "" && c.Identity != "system" {
		if id, err := azure.ParseID(c.Identity); err != nil || !id.IsType("Microsoft.ManagedIdentity/userAssignedIdentities") {
			return bad("identity %q: give system, or the ARM id of a user-assigned identity", c.Identity)
		}
	}
	for name := range c.Tags {
		if azure.OwnTag(name) {
			return bad("tag %q: azlin keeps its own records in it", name)
		}
	}
	if strings.ContainsAny(c.OperationID, ": \t\n") || len(c.OperationID) > 64 {
		return bad("operation id %q", c.OperationID)
	}
	return azure.ValidateTags(c.tags(time.Time{}, change.StepVM))
}

// Wanted is the request for count VMs of c, for catalog.Service.Judge.
func (c Config) Wanted(count int) catalog.Wanted {
	w := catalog.Wanted{
		Region: c.Region, Size: c.Size, Zone: c.Zone, Count: count, Spot: c.Spot, Premium: strings.HasPrefix(c.OSDiskType, "Premium"),
	}
	for _, d := range c.DataDisks {
		w.Premium = w.Premium || strings.HasPrefix(d.Type, "Premium")
	}
	switch {
	case !c.Private:
		w.Addresses = count
	case c.NATGateway:
		w.Addresses = 1
	}
	if c.Copy != nil { // the disks fix the zone and the security type
		w.Fixed = true
		w.Fits = func(z catalog.Size) error {
			if c.Copy.TrustedLaunch && !z.TrustedLaunch {
				return errkind.New(errkind.Invalid, "the disks are those of a trusted launch VM, and size %s knows no trusted launch", z.Name)
			}
			return nil
		}
	}
	return w
}

// validAdmin follows Azure's rules for Linux user names.
func validAdmin(name string) error {
	ok := name != "" && len(name) <= 32
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r == '_'
		ok = ok && (letter || i > 0 && (r >= '0' && r <= '9' || r == '-'))
	}
	if !ok {
		return errkind.New(errkind.Invalid, "user name %q: use 1 to 32 lower-case letters, digits, - and _, a letter first", name)
	}
	if strings.Contains(reservedUsers, " "+name+" ") {
		return errkind.New(errkind.Invalid, "user name %q: Azure does not allow it", name)
	}
	return nil
}

// reservedUsers are the names that Azure's description of osProfile.adminUsername refuses, and the users of an Ubuntu image.
const reservedUsers = " administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup console" +
	" david guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5 video" +
	" daemon bin sync games man lp mail news uucp proxy www-data list irc nobody sshd syslog messagebus systemd-network" +
	" systemd-resolve systemd-timesync _apt uuidd tcpdump landscape pollinate fwupd-refresh _chrony tss "

func validPublicKey(key string) error {
	fields := strings.Fields(key)
	if len(fields) < 2 || strings.ContainsAny(strings.TrimSpace(key), "\r\n") {
		return errkind.New(errkind.Invalid, "not an SSH public key in one line")
	}
	if fields[0] != "ssh-ed25519" && fields[0] != "ssh-rsa" {
		return errkind.New(errkind.Invalid, "SSH key of type %q: Azure takes ssh-ed25519 and ssh-rsa", fields[0])
	}
	if _, err := base64.StdEncoding.DecodeString(fields[1]); err != nil {
		return errkind.New(errkind.Invalid, "the SSH public key is damaged: %w", err)
	}
	return nil
}

// tags returns the tags of all the VM's resources.
func (c Config) tags(now time.Time, step string) map[string]string {
	own := map[string]string{
		azure.TagManagedBy: azure.ManagedBy,
		azure.TagCreated:   now.UTC().Format(time.RFC3339),
		azure.TagSession:   c.SessionName,
		azure.TagOperation: mark(c.OperationID, step),
	}
	if c.Owner != "" {
		own[azure.TagOwner] = c.Owner
	}
	if c.Template != "" {
		own[azure.TagTemplate] = c.Template
	}
	if c.Pool != "" {
		own[azure.TagPool] = c.Pool
	}
	if c.Bakes != "" {
		own[azure.TagImage] = c.Bakes
	}
	if c.Source != "" {
		own[azure.TagSource] = c.Source
	}
	if c.Copy != nil {
		own[azure.TagUser] = c.AdminUsername
	}
	if c.HostKey != "" && step == change.StepVM {
		own[azure.TagHostKey] = c.HostKey
	}
	return azure.WithTags(c.Tags, own)
}

// Ref names the VM.
func (c Config) Ref() vm.Ref { return vm.Ref{Name: c.Name, ResourceGroup: c.ResourceGroup} }
