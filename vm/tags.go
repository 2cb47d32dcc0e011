package vm

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Tags reads the tags of any resource by its id (Microsoft.Resources/tags, Get). If the caller may read a VM but not tags,
// they are read from the VM. Without tags the map is empty. Errors are ErrTags.
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

// AddTags sets tags on the resource with that id and keeps its other tags (Microsoft.Resources/tags, Get and Merge). It
// returns all tags as they are then, barring simultaneous changes. Names ignore case. Exceeding Azure's limits, or setting
// one of azlin's record tags (azure.OwnTag), is Invalid before anything is written. If the caller may write a VM but not
// tags, the VM is patched, guarded by its ETag. Errors are ErrTags.
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
	// Tags set by a policy or the portal are not validated, only counted.
	if len(all) > azure.MaxTags {
		return nil, errkind.Classed(ErrTags, errkind.New(errkind.Invalid,
			"with the %d tags that are there it would have %d, and Azure allows %d", len(have), len(all), azure.MaxTags))
	}
	if err := s.azure.MergeTags(ctx, id, tags); err != nil {
		return nil, errkind.Classed(ErrTags, err)
	}
	return all, nil
}

// RemoveTags removes the tags with these names, in any letter case, from the resource with that id
// (Microsoft.Resources/tags, Get and Delete), and returns those it had. An absent name is not an error. Azlin's record tags
// are Invalid, as in AddTags.
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

// changeable refuses the names of azlin's record tags.
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

// SetHostKey stores a VM's public SSH host key in its tag, so that other machines can verify it.
func (s *Service) SetHostKey(ctx context.Context, id, public string) error {
	return s.azure.MergeTags(ctx, id, map[string]string{azure.TagHostKey: public})
}
