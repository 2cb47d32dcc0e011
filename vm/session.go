package vm

import (
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// nameSessions sets the session name known to this machine for VMs without a session tag.
func (s *Service) nameSessions(vms []Info) {
	tagged := map[string]bool{}
	for _, i := range vms {
		tagged[i.SessionName] = true
	}
	for n, i := range vms {
		if name := s.sessions[i.Name]; i.SessionName == "" && !tagged[name] {
			vms[n].SessionName = name
		}
	}
}

// SetSession writes session into a VM's tag azlin-session (Microsoft.Resources/tags, Merge; other tags stay unchanged). An
// empty session removes the tag. It returns the updated VM. A session that is the name or session of another VM (in the
// target's resource group, or in the subscription if it has none) is a Conflict, because the name would match that VM.
func (s *Service) SetSession(ctx context.Context, ref Ref, session string) (Info, error) {
	if session != "" {
		if err := ValidSession(session); err != nil {
			return Info{}, errkind.Classed(ErrManager, err)
		}
	}
	ref, err := s.full(ref)
	if err != nil {
		return Info{}, errkind.Classed(ErrManager, err)
	}
	where := ListOptions{All: true}
	if s.azure.Target().ResourceGroup != "" {
		where.ResourceGroup = ref.ResourceGroup
	}
	l, err := s.List(ctx, where)
	if err != nil {
		return Info{}, err
	}
	n := slices.IndexFunc(l.VMs, func(i Info) bool { return i.Same(ref) })
	if n < 0 {
		return Info{}, errkind.Classed(ErrManager, noMatch(ref.Name))
	}
	i := l.VMs[n]
	if session == "" {
		err = s.azure.DeleteTags(ctx, i.ID, azure.TagSession)
	} else if err = freeSession(l.VMs, i, session); err == nil {
		err = s.azure.MergeTags(ctx, i.ID, map[string]string{azure.TagSession: session})
	}
	if err != nil {
		return Info{}, errkind.Classed(ErrManager, err)
	}
	i.SessionName = session
	return i, nil
}

// freeSession checks that session would match no VM but own.
func freeSession(vms []Info, own Info, session string) error {
	for _, i := range vms {
		if azure.IDKey(i.ID) == azure.IDKey(own.ID) {
			continue
		}
		if i.SessionName == session || strings.EqualFold(i.Name, session) {
			return &errkind.Error{
				Kind: errkind.Conflict, Op: "name session", Resource: session,
				Err: errkind.New(errkind.Conflict, "the VM %s in resource group %s is found by this name", i.Name, i.ResourceGroup),
			}
		}
	}
	return nil
}

// CheckName is a Conflict if the name of a VM to create is the session of another VM in its resource group, because it would
// be ambiguous (virtualMachines/list). A group that does not exist or cannot be read has no sessions.
func (s *Service) CheckName(ctx context.Context, ref Ref) error {
	models, err := azure.Pages(ctx, "list VMs of "+ref.ResourceGroup, s.azure.VMs().NewListPager(ref.ResourceGroup, nil),
		func(p armcompute.VirtualMachinesClientListResponse) []*armcompute.VirtualMachine { return p.Value })
	if azure.IsNotFound(err) || errkind.Of(err) == errkind.Permission {
		return nil
	}
	if err != nil {
		return errkind.Classed(ErrManager, err)
	}
	vms := make([]Info, len(models))
	for n, m := range models {
		vms[n] = FromModel(m)
	}
	s.nameSessions(vms)
	return errkind.Classed(ErrManager, NotASession(vms, ref.Name))
}

// NotASession is a Conflict if name is the session of a VM with another name.
func NotASession(vms []Info, name string) error {
	for _, i := range vms {
		if strings.EqualFold(i.SessionName, name) && !strings.EqualFold(i.Name, name) {
			return &errkind.Error{
				Kind: errkind.Conflict, Op: "create vm", Resource: name,
				Err: errkind.New(errkind.Conflict, "it is the name of the session of the VM %s in resource group %s; choose another name", i.Name, i.ResourceGroup),
			}
		}
	}
	return nil
}
