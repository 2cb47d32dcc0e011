package azure

import (
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// auditedRule holds the properties of a security rule that the record needs.
type auditedRule struct {
	Properties struct {
		Access    string   `json:"access"`
		Direction string   `json:"direction"`
		Source    string   `json:"sourceAddressPrefix"`
		Sources   []string `json:"sourceAddressPrefixes"`
	} `json:"properties"`
}

// everywhere reports whether the rule admits everyone.
func (r auditedRule) everywhere() bool {
	return strings.EqualFold(r.Properties.Access, "Allow") && strings.EqualFold(r.Properties.Direction, "Inbound") &&
		slices.ContainsFunc(append(r.Properties.Sources, r.Properties.Source), func(s string) bool {
			return s == "*" || strings.EqualFold(s, "Internet") || strings.HasSuffix(s, "/0")
		})
}

// detailOf is the record's detail for a write: that a security rule admits everyone.
func detailOf(req *policy.Request, operation string) string {
	body := req.Body()
	rule := strings.EqualFold(operation, "Microsoft.Network/networkSecurityGroups/securityRules/write")
	if body == nil || !rule && !strings.EqualFold(operation, "Microsoft.Network/networkSecurityGroups/write") {
		return ""
	}
	data, err := io.ReadAll(body)
	if rerr := req.RewindBody(); err != nil || rerr != nil {
		return "" // sending it will fail with the reason
	}
	var all []auditedRule
	if rule {
		var one auditedRule
		_ = json.Unmarshal(data, &one) // a body that cannot be parsed admits nobody
		all = append(all, one)
	} else {
		var group struct {
			Properties struct {
				Rules []auditedRule `json:"securityRules"`
			} `json:"properties"`
		}
		_ = json.Unmarshal(data, &group) // as above
		all = group.Properties.Rules
	}
	for _, r := range all {
		if r.everywhere() {
			return "a rule admits everyone, from any address"
		}
	}
	return ""
}
