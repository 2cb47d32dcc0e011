package network

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strings"
)

// The subnets of the shared network: one for VMs with a public address, the other for private VMs, which use a NAT gateway.
const (
	SubnetName        = "azlin"
	PrivateSubnetName = "azlin-private"
)

// VNetName is the virtual network that all VMs of a region and group share.
func VNetName(region string) string { return "azlin-vnet-" + strings.ToLower(region) }

const natPrefix = "azlin-nat-"

// NATName is the NAT gateway that the private VMs of a region and group share.
func NATName(region string) string { return natPrefix + strings.ToLower(region) }

// natAddressName is the public address of a NAT gateway.
func natAddressName(region string) string { return NATName(region) + "-ip" }

// addressSpace gives each region its own /16, so that networks of two regions can be peered.
func addressSpace(region string) (network, subnet, private string) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(region))) // cannot fail
	second := 64 + h.Sum32()%128
	return fmt.Sprintf("10.%d.0.0/16", second), fmt.Sprintf("10.%d.0.0/20", second), fmt.Sprintf("10.%d.16.0/20", second)
}

// SSHRulePrefix is the prefix of rules that admit an operator.
const SSHRulePrefix = "azlin-ssh-"

// SSHRuleName is the name of the rule that admits one operator. operator may be anything that identifies the operator and
// does not change with the address.
func SSHRuleName(operator string) string {
	sum := sha256.Sum256([]byte(operator))
	return SSHRulePrefix + hex.EncodeToString(sum[:5])
}
