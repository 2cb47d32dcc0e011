package vm

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Tags reads the tags of the resource with that id, whatever it is (Microsoft.Resources/tags, Get). Who may
// read a VM but not tags gets them from the VM. Without any tag it is empty. Errors are ErrTags.
func (s *Service) Tags(ctx context.Context, id string) (map[string]string, error) {
	if _, err := azure.ParseID(id); err != nil {
		return nil, errkind.Classed(ErrTags, err)
	}
	tags, err := s.azure.ResourceTags(ctx, id)
	if err != nil {
		return nil, errkind.Classed(ErrTags, err)
	}
	return tags, nil
}

// AddTags sets tags on the resource with that id and leaves its others alone (Microsoft.Resources/tags, Get and
// Merge), and returns all that it has then, as far as nobody else changes them meanwhile. A name that is there
// in another letter case is the same tag. What would exceed Azure's limits, and a tag that azlin keeps its own
// records in (azure.OwnTag), is Invalid before anything is written. Who may write a VM but not tags gets the VM
// patched, guarded by its ETag. Errors are ErrTags.
func (s *Service) AddTags(ctx context.Context, id string, tags map[string]string) (map[string]string, error) {
	if err := changeable(maps.Keys(tags)); err != nil {
		return nil, err
	}
	if err := azure.ValidateTags(tags); err != nil {
		return nil, errkind.Classed(ErrTags, err)
	}
	have, err := s.Tags(ctx, id)
	if err != nil {
		return nil, err
	}
	all := azure.WithTags(have, tags)
	// What a policy or the portal wrote is not for azlin to judge, only how many there would be.
	if len(all) > azure.MaxTags {
		return nil, errkind.Classed(ErrTags, errkind.New(errkind.Invalid,
			"with the %d tags that are there it would have %d, and Azure allows %d", len(have), len(all), azure.MaxTags))
	}
	if err := s.azure.MergeTags(ctx, id, tags); err != nil {
		return nil, errkind.Classed(ErrTags, err)
	}
	return all, nil
}

// RemoveTags takes the tags of these names, in any letter case, from the resource with that id
// (Microsoft.Resources/tags, Get and Delete), and returns those that it had of them. A name that is not there is
// no error. Tags of azlin's own records are Invalid, as in AddTags.
func (s *Service) RemoveTags(ctx context.Context, id string, names ...string) (map[string]string, error) {
	if err := changeable(slices.Values(names)); err != nil {
		return nil, err
	}
	have, err := s.Tags(ctx, id)
	if err != nil {
		return nil, err
	}
	gone := map[string]string{}
	for _, name := range names {
		if value, ok := azure.Tag(have, name); ok {
			gone[name] = value
		}
	}
	if len(gone) == 0 {
		return gone, nil
	}
	if err := s.azure.DeleteTags(ctx, id, names...); err != nil {
		return nil, errkind.Classed(ErrTags, err)
	}
	return gone, nil
}

// changeable refuses the names of tags that azlin's commands go by.
func changeable(names iter.Seq[string]) error {
	for name := range names {
		if azure.OwnTag(name) {
			return errkind.Classed(ErrTags, &errkind.Error{
				Kind: errkind.Invalid, Op: "change tag", Resource: name,
				Err: errkind.New(errkind.Invalid, "azlin keeps its own records in it"),
			})
		}
	}
	return nil
}

// SetHostKey records the public SSH host key of a VM in its tag, for every other machine to verify it by.
func (s *Service) SetHostKey(ctx context.Context, id, public string) error {
	return s.azure.MergeTags(ctx, id, map[string]string{azure.TagHostKey: public})
}
