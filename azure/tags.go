package azure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/azlin-dev/azlin/errkind"
)

// The tags that azlin sets. Azure compares tag names without regard to case.
const (
	TagManagedBy = "managed-by"      // always ManagedBy: the one sign that a resource is azlin's
	TagCreated   = "azlin-created"   // RFC 3339
	TagOwner     = "azlin-owner"     // who asked for it
	TagSession   = "azlin-session"   // the session's name
	TagOperation = "azlin-op"        // <kind>:<id>:<step>, and what is needed to go on: see change.Mark
	TagUser      = "azlin-user"      // login user of a VM of which Azure knows none
	TagHostKey   = "azlin-host-key"  // public half of the VM's SSH host key
	TagPool      = "azlin-pool"      // name of the pool that a VM belongs to
	TagTemplate  = "azlin-template"  // name of the template that a VM was made from
	TagProtected = "azlin-protected" // set by people, to anything: the VM is not stopped or deleted for the sake of cost
	TagImage     = "azlin-image"     // of a VM that an image is made of: the image's name and version, "base:2026.1129.101500"
	TagSource    = "azlin-source"    // of an image: the VM that it was baked from; of a VM: the one whose disks it begins with
	TagResize    = "azlin-resize"    // of a resize that has not ended: the sizes before and after, and the power state. See change.Mark

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

// Managed says whether a resource with these tags is azlin's. Everything that counts, changes or
// deletes resources of azlin asks this and nothing else.
func Managed(tags map[string]string) bool {
	v, _ := Tag(tags, TagManagedBy)
	return v == ManagedBy
}

// OwnTag says whether azlin keeps its own records in the tag of that name, so that it is not for people to change.
func OwnTag(name string) bool {
	const prefix = "azlin-"
	if strings.EqualFold(name, TagProtected) {
		return false
	}
	return strings.EqualFold(name, TagManagedBy) || len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// Tags makes plain tags of an SDK model's; a null value is an empty one.
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

// SDKTags makes an SDK model's tags of plain ones.
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

// WithTags returns base overlaid by over. A name of over replaces the same name in another case.
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
	maxTagName  = 512 // 128 for storage accounts, which azlin's tags never reach
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
