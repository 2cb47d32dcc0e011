package arm

import (
	"regexp"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
)

// Limits of tags.
const (
	maxTags     = 50
	maxTagKey   = 512
	maxTagValue = 256
)

// CheckTags judges a resource's tags.
func CheckTags(v any) error {
	if v == nil {
		return nil
	}
	tags, ok := v.(azjson.Object)
	if !ok {
		return BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: 'tags is not an object'.")
	}
	if len(tags) > maxTags {
		return BadRequest("InvalidTags", "The number of tags provided is %d. The maximum number of tags allowed on a resource is %d.", len(tags), maxTags)
	}
	for k, v := range tags {
		value, ok := v.(string)
		switch {
		case !ok && v != nil:
			return BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: 'the value of tag %s is not a string'.", k)
		case strings.ContainsAny(k, `<>%&\?/`) || strings.TrimSpace(k) == "" || strings.ContainsFunc(k, func(r rune) bool { return r < 32 }):
			return BadRequest("InvalidTagNameCharacters", "The tag names '%s' have reserved characters '<,>,%%,&,\\,?,/' or control characters.", k)
		case len([]rune(k)) > maxTagKey:
			return BadRequest("InvalidTagName", "The tag name '%s...' is too long. The maximum length of a tag name is %d characters.", k[:32], maxTagKey)
		case len([]rune(value)) > maxTagValue:
			return BadRequest("InvalidTagValue", "The value of tag '%s' is too long. The maximum length of a tag value is %d characters.", k, maxTagValue)
		}
	}
	return nil
}

// NameRule is what the names of a type must look like.
type NameRule struct {
	Type    string
	Pattern *regexp.Regexp
	Max     int
	Says    string // what Azure's refusal explains
}

// Check judges a name.
func (n NameRule) Check(name string) error {
	if len(name) > n.Max || !n.Pattern.MatchString(name) {
		return BadRequest("InvalidResourceName", "Resource name %s is invalid. %s", name, n.Says).Empty()
	}
	return nil
}

// NeedLocation judges the location of a body and brings it into its stored form.
func (c *Call) NeedLocation(typ string) error {
	loc := azjson.Str(c.Body, "location")
	if loc == "" {
		return BadRequest("LocationRequired", "The location property is required for this definition.")
	}
	r, ok := geography.FindRegion(loc)
	if !ok {
		return LocationNotAvailable(loc, typ)
	}
	c.Body["location"] = r.Name
	return nil
}

// NeedBody refuses a write without a body.
func (c *Call) NeedBody() error {
	if c.Body == nil {
		return BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: 'the body is empty'.")
	}
	return nil
}
