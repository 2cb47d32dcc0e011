package vm

import (
	"context"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// AdoptOptions are the options of Adopt.
type AdoptOptions struct {
	SessionName string // empty: the VM's name
	Owner       string // goes into the tag azlin-owner
}

// Adopt lets azlin manage a VM that it did not create, by writing tags (one request, Microsoft.Resources/tags). The VM's
// other resources are found by reference and keep their tags. A VM that azlin manages already is returned unchanged. A VM
// that does not run Linux, or whose creation has not finished, is a Conflict.
func (s *Service) Adopt(ctx context.Context, ref Ref, o AdoptOptions) (Info, error) {
	i, err := s.Get(ctx, ref)
	if err != nil || i.Managed {
		return i, err
	}
	refuse := func(format string, args ...any) (Info, error) {
		return i, errkind.Classed(ErrManager, &errkind.Error{
			Kind: errkind.Conflict, Op: "adopt vm", Resource: i.Name, Err: errkind.New(errkind.Conflict, format, args...),
		})
	}
	if !strings.EqualFold(i.OSType, "Linux") {
		return refuse("azlin works with Linux, this VM runs %s", i.OSType)
	}
	if !strings.EqualFold(i.ProvisioningState, "Succeeded") {
		return refuse("Azure has not finished with it: it is %s", i.ProvisioningState)
	}
	session := o.SessionName
	if session == "" {
		session = sessionOf(i.Name)
	}
	if err := ValidSession(session); err != nil {
		return i, errkind.Classed(ErrManager, err)
	}
	tags := map[string]string{
		azure.TagManagedBy: azure.ManagedBy, azure.TagSession: session,
		azure.TagCreated: s.azure.Clock().Now().UTC().Format(time.RFC3339),
	}
	if o.Owner != "" {
		tags[azure.TagOwner] = o.Owner
	}
	if err := s.azure.MergeTags(ctx, i.ID, tags); err != nil {
		return i, errkind.Classed(ErrManager, err)
	}
	return s.Get(ctx, ref)
}

// sessionOf derives a session name from a VM's name by replacing the characters that session names may not contain.
func sessionOf(name string) string {
	return strings.Map(func(r rune) rune {
		if isAlnum(r) || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, name)
}
