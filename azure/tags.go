package azure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/azlin-dev/azlin/errkind"
)

// The tags that azlin sets. Azure ignores the case of tag names.
const (
	TagManagedBy = "managed-by"      // always ManagedBy: the only mark of azlin's resources
	TagCreated   = "azlin-created"   // RFC 3339
	TagOwner     = "azlin-owner"     // who requested it
	TagSession   = "azlin-session"   // the session's name
	TagOperation = "azlin-op"        // <kind>:<id>:<step>, and what is needed to resume: see change.Mark
	TagUser      = "azlin-user"      // login user of a VM for which Azure has none
	TagHostKey   = "azlin-host-key"  // public half of the VM's SSH host key
	TagPool      = "azlin-pool"      // name of the pool that a VM belongs to
	TagTemplate  = "azlin-template"  // name of the template that a VM was made from
	TagProtected = "azlin-protected" // set by users, with any value: the VM is never stopped or deleted to save cost
	TagImage     = "azlin-image"     // of a VM for baking an image: the image's name and version, "base:2026.1129.101500"
	TagSource    = "azlin-source"    // of an image: the VM it was baked from; of a VM: the one whose disks it copied
	TagResize    = "azlin-resize"    // of an unfinished resize: the sizes before and after, and the power state. See change.Mark

	ManagedBy = "azlin"
)

// Tag reads a tag by its name in any letter case.
func Tag(tags map[string]string, name string) (string, bool) {
	if v, ok := tags[name]; ok {
		return v, true
	}
	for k, v := range tags {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

// Managed reports whether azlin manages the resource with these tags. Everything that counts, changes or deletes azlin's
// resources uses only this.
func Managed(tags map[string]string) bool {
	v, _ := Tag(tags, TagManagedBy)
	return v == ManagedBy
}

// OwnTag reports whether azlin stores its own records in the tag, so that users must not change it.
func OwnTag(name string) bool {
	const prefix = "azlin-"
	if strings.EqualFold(name, TagProtected) {
		return false
	}
	return strings.EqualFold(name, TagManagedBy) || len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// Tags converts an SDK model's tags; a null value becomes empty.
func Tags(sdk map[string]*string) map[string]string {
	if sdk == nil {
		return nil
	}
	out := make(map[string]string, len(sdk))
	for k, v := range sdk {
		if v != nil {
			out[k] = *v
		} else {
			out[k] = ""
		}
	}
	return out
}

// SDKTags converts tags to an SDK model's.
func SDKTags(tags map[string]string) map[string]*string {
	if tags == nil {
		return nil
	}
	out := make(map[string]*string, len(tags))
	for k, v := range tags {
		out[k] = &v
	}
	return out
}

// WithTags returns base overlaid by over. A name in over replaces the same name in another case.
func WithTags(base, over map[string]string) map[string]string {
	out := maps.Clone(base)
	if out == nil {
		out = make(map[string]string, len(over))
	}
	for k, v := range over {
		maps.DeleteFunc(out, func(have, _ string) bool { return strings.EqualFold(have, k) })
		out[k] = v
	}
	return out
}

// Azure's limits on tags.
const (
	MaxTags     = 50
	maxTagName  = 512 // 128 for storage accounts, which do not get azlin's tags
	maxTagValue = 256
)

// ValidateTags checks tags against Azure's limits before anything is sent.
func ValidateTags(tags map[string]string) error {
	if len(tags) > MaxTags {
		return errkind.New(errkind.Invalid, "%d tags are more than the %d that Azure allows", len(tags), MaxTags)
	}
	seen := make(map[string]string, len(tags))
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		if err := validTag(name, tags[name]); err != nil {
			return err
		}
		if other, twice := seen[strings.ToLower(name)]; twice {
			return errkind.New(errkind.Invalid, "tags %q and %q are the same to Azure", other, name)
		}
		seen[strings.ToLower(name)] = name
	}
	return nil
}

func validTag(name, value string) error {
	bad := func(format string, args ...any) error {
		return errkind.New(errkind.Invalid, "tag %q: %s", name, fmt.Sprintf(format, args...))
	}
	if name == "" {
		return bad("the name is empty")
	}
	if n := utf16Len(name); n > maxTagName {
		return bad("the name has %d characters, Azure allows %d", n, maxTagName)
	}
	if n := utf16Len(value); n > maxTagValue {
		return bad("the value has %d characters, Azure allows %d", n, maxTagValue)
	}
	if i := strings.IndexAny(name, `<>%&\?/`); i >= 0 {
		return bad("the name may not contain %q", name[i])
	}
	for _, r := range name + value {
		if r < ' ' || r == 0x7f {
			return bad("control characters are not allowed")
		}
	}
	for _, prefix := range []string{"microsoft", "azure", "windows"} {
		if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return bad("names that begin with %q are Azure's own", prefix)
		}
	}
	return nil
}

func utf16Len(s string) int { return len(utf16.Encode([]rune(s))) }
