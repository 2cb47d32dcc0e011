package azure

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/azlin-dev/azlin/errkind"
)

// tagsVersion is the api-version of Microsoft.Resources/tags.
const tagsVersion = "2021-04-01"

// tagsBody is the resource tags/default and the patch of it.
type tagsBody struct {
	Operation  string `json:"operation,omitempty"`
	Properties struct {
		Tags map[string]string `json:"tags"`
	} `json:"properties"`
}

// MergeTags sets tags on the resource with that id and keeps the others, without reading them first
// (Microsoft.Resources/tags, Merge). If the caller may write a VM but not tags, the VM is patched, guarded by its ETag.
func (c *Client) MergeTags(ctx context.Context, id string, tags map[string]string) error {
	if err := ValidateTags(tags); err != nil {
		return Wrap("tag", id, err)
	}
	if len(tags) == 0 {
		return nil
	}
	return c.patchTags(ctx, id, "Merge", tags, func(have map[string]string) map[string]string {
		return WithTags(have, tags)
	})
}

// DeleteTags removes the tags with these names.
func (c *Client) DeleteTags(ctx context.Context, id string, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	// Azure deletes a tag only if the value matches too, so it is read first.
	have, err := c.ResourceTags(ctx, id)
	if err != nil {
		return err
	}
	gone := map[string]string{}
	for _, name := range names {
		if v, ok := Tag(have, name); ok {
			gone[name] = v
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return c.patchTags(ctx, id, "Delete", gone, func(have map[string]string) map[string]string {
		out := map[string]string{}
		for k, v := range have {
			if _, drop := Tag(gone, k); !drop {
				out[k] = v
			}
		}
		return out
	})
}

// ResourceTags reads the tags of the resource with that id. If the caller may read a VM but not tags, they are read from the
// VM.
func (c *Client) ResourceTags(ctx context.Context, id string) (map[string]string, error) {
	resp, err := c.Do(ctx, http.MethodGet, tagsPath(id), tagsVersion, nil)
	if errkind.Of(err) == errkind.Permission && isVM(id) {
		var vm vmTags
		vm, _, err = c.readVMTags(ctx, id)
		return vm.Tags, err
	}
	if err != nil {
		return nil, err
	}
	var body tagsBody
	if err := resp.Decode(&body); err != nil {
		return nil, Wrap("read tags of", id, err)
	}
	return body.Properties.Tags, nil
}

func tagsPath(id string) string { return id + "/providers/Microsoft.Resources/tags/default" }

func (c *Client) patchTags(ctx context.Context, id, operation string, tags map[string]string, fallback func(have map[string]string) map[string]string) error {
	body := tagsBody{Operation: operation}
	body.Properties.Tags = tags
	_, err := c.DoOperation(ctx, http.MethodPatch, tagsPath(id), tagsVersion, body, nil)
	if errkind.Of(err) != errkind.Permission {
		return err
	}
	if !isVM(id) {
		return err
	}
	return c.patchVMTags(ctx, id, fallback)
}

func isVM(id string) bool {
	parsed, err := ParseID(id)
	return err == nil && parsed.IsType("Microsoft.Compute/virtualMachines")
}

// vmTagsVersion is the oldest api-version of Compute in which a VM has an ETag.
const vmTagsVersion = "2024-11-01"

// vmTags holds the properties of a VM that are read here.
type vmTags struct {
	Tags map[string]string `json:"tags"`
	ETag string            `json:"etag"`
}

// readVMTags reads a VM's tags and their ETag.
func (c *Client) readVMTags(ctx context.Context, id string) (vm vmTags, etag string, err error) {
	resp, err := c.Do(ctx, http.MethodGet, id, vmTagsVersion, nil)
	if err != nil {
		return vm, "", err
	}
	if err := resp.Decode(&vm); err != nil {
		return vm, "", Wrap("tag", id, err)
	}
	if etag = resp.Header.Get("ETag"); etag == "" {
		etag = vm.ETag
	}
	return vm, etag, nil
}

// patchVMTags replaces a VM's tags by the result of edit, and retries after a simultaneous change.
func (c *Client) patchVMTags(ctx context.Context, id string, edit func(map[string]string) map[string]string) error {
	for try := 1; ; try++ {
		vm, etag, err := c.readVMTags(ctx, id)
		if err != nil {
			return err
		}
		var header []Header
		if etag != "" {
			header = append(header, Header{"If-Match", etag})
		}
		body, err := json.Marshal(map[string]any{"tags": edit(vm.Tags)})
		if err != nil {
			return Wrap("tag", id, err)
		}
		_, err = c.Do(ctx, http.MethodPatch, id, vmTagsVersion, body, header...)
		if err == nil || try == 5 || !preconditionFailed(err) {
			return err
		}
	}
}

func preconditionFailed(err error) bool {
	for e := range errkind.All(err) {
		if re, ok := e.Err.(*ResponseError); ok && re.Status == http.StatusPreconditionFailed { //nolint:errorlint // as Wrap made it
			return true
		}
	}
	return false
}
