package vm

import (
	"cmp"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Ref names one VM of a subscription. Functions that take a VM by name take a Ref, and results about a VM embed one.
type Ref struct {
	Name          string `json:"name"`
	ResourceGroup string `json:"resource_group"` // empty: azure.Target's
}

// In completes a Ref with the target's resource group. A VM without a name, or without a group in both, is Invalid.
func (r Ref) In(t azure.Target) (Ref, error) {
	r.ResourceGroup = cmp.Or(r.ResourceGroup, t.ResourceGroup)
	switch {
	case r.Name == "":
		return r, errkind.New(errkind.Invalid, "no VM is named")
	case r.ResourceGroup == "":
		return r, errkind.New(errkind.Invalid, "the VM %s has no resource group: specify it, or a default in azure.Target", r.Name)
	}
	return r, nil
}

// Same reports whether both name the same VM; Azure ignores case. Both must be complete.
func (r Ref) Same(other Ref) bool {
	return strings.EqualFold(r.Name, other.Name) && strings.EqualFold(r.ResourceGroup, other.ResourceGroup)
}

// full is Ref.In for this service's target.
func (s *Service) full(r Ref) (Ref, error) { return r.In(s.azure.Target()) }
