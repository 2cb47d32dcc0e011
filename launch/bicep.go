package launch

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Bicep writes the resources of a rehearsed launch as a Bicep file for the deployment to one resource group. Resources
// refer to one another by their symbolic names, so that Bicep knows their order; custom data is a secure parameter.
func Bicep(writes []azure.Write) (string, error) {
	f := bicepFile{names: map[string]string{}}
	var resources []bicepResource
	for _, w := range writes {
		if w.Method != http.MethodPut {
			continue
		}
		r, err := f.resource(w)
		if err != nil {
			return "", err
		}
		if r.kind != "" { // the group itself is the target of the deployment
			resources = append(resources, r)
		}
	}
	// Sorted by id, because simultaneous requests have no order.
	slices.SortStableFunc(resources, func(a, b bicepResource) int { return strings.Compare(azure.IDKey(a.id), azure.IDKey(b.id)) })
	var body, b strings.Builder
	for _, r := range resources {
		fmt.Fprintf(&body, "\nresource %s '%s@%s' = ", r.symbol, r.kind, r.version)
		f.value(&body, r.body, 0)
		body.WriteString("\n")
	}
	if f.group != "" {
		fmt.Fprintf(&b, "// For resource group %s: az deployment group create -g %s -f FILE\n", f.group, f.group)
	}
	if f.customData {
		b.WriteString("@secure()\n@description('The cloud-init document, base64-encoded.')\nparam customData string\n")
	}
	return b.String() + body.String(), nil
}

type bicepResource struct {
	id, symbol, kind, version string
	body                      map[string]any
}

type bicepFile struct {
	names      map[string]string // symbolic names by key of the id
	group      string
	customData bool
}

// resource reads one request.
func (f *bicepFile) resource(w azure.Write) (bicepResource, error) {
	u, err := url.Parse(w.URL)
	if err != nil {
		return bicepResource{}, err
	}
	id, err := azure.ParseID(u.Path)
	if err != nil {
		return bicepResource{}, err
	}
	f.group = id.ResourceGroup
	r := bicepResource{id: id.String(), version: u.Query().Get("api-version")}
	if len(id.Types) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(w.Body, &r.body); err != nil {
		return r, errkind.New(errkind.Invalid, "%s: its body is not a JSON object: %w", r.id, err)
	}
	r.kind = id.Provider + "/" + strings.Join(id.Types, "/")
	r.symbol = symbol(id.Name())
	for n := 2; slices.Contains(slices.Collect(maps.Values(f.names)), r.symbol); n++ {
		r.symbol = symbol(id.Name()) + "_" + strconv.Itoa(n)
	}
	f.names[azure.IDKey(r.id)] = r.symbol
	if tags, ok := r.body["tags"].(map[string]any); ok {
		// These are specific to the rehearsed run: its operation, and its host key.
		delete(tags, azure.TagOperation)
		delete(tags, azure.TagHostKey)
	}
	r.body["name"] = id.Name()
	if parent := id.Parent(); len(id.Types) > 1 {
		if name, ok := f.names[azure.IDKey(parent.String())]; ok {
			r.body["parent"] = bicepExpression(name)
		} else {
			r.body["name"] = strings.Join(id.Names, "/")
		}
	}
	return r, nil
}

// symbol turns a name into an identifier.
func symbol(name string) string {
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = "_" + s
	}
	return s
}

// bicepExpression is text to write without quotes.
type bicepExpression string

// value writes a JSON value as Bicep does.
func (f *bicepFile) value(b *strings.Builder, v any, depth int) {
	in, out := strings.Repeat("  ", depth+1), strings.Repeat("  ", depth)
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			b.WriteString("{}")
			return
		}
		b.WriteString("{\n")
		for _, key := range bicepOrder(v) {
			b.WriteString(in + bicepKey(key) + ": ")
			if key == "customData" && v[key] == customDataPlace {
				f.customData = true
				b.WriteString("customData\n")
				continue
			}
			f.value(b, v[key], depth+1)
			b.WriteString("\n")
		}
		b.WriteString(out + "}")
	case []any:
		if len(v) == 0 {
			b.WriteString("[]")
			return
		}
		b.WriteString("[\n")
		for _, e := range v {
			b.WriteString(in)
			f.value(b, e, depth+1)
			b.WriteString("\n")
		}
		b.WriteString(out + "]")
	case string:
		b.WriteString(f.text(v))
	case bicepExpression:
		b.WriteString(string(v))
	case float64:
		number := strconv.FormatFloat(v, 'f', -1, 64)
		if strings.Contains(number, ".") { // Bicep has only whole numbers
			number = "json('" + number + "')"
		}
		b.WriteString(number)
	case bool:
		b.WriteString(strconv.FormatBool(v))
	default:
		b.WriteString("null")
	}
}

// text writes a string, or a reference if it is the id of another resource of the file or of a part of one.
func (f *bicepFile) text(s string) string {
	if strings.HasPrefix(s, "/subscriptions/") {
		if name, ok := f.names[azure.IDKey(s)]; ok {
			return name + ".id"
		}
		if id, err := azure.ParseID(s); err == nil && len(id.Types) > 1 {
			if name, ok := f.names[azure.IDKey(id.Parent().String())]; ok {
				return "'${" + name + ".id}/" + bicepEscape(id.Types[len(id.Types)-1]+"/"+id.Name()) + "'"
			}
		}
	}
	return "'" + bicepEscape(s) + "'"
}

func bicepEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", `\${`).Replace(s)
}

func bicepKey(key string) string {
	if symbol(key) == key {
		return key
	}
	return "'" + bicepEscape(key) + "'"
}

// bicepOrder puts the keys that readers look for first.
func bicepOrder(o map[string]any) []string {
	keys := slices.Sorted(maps.Keys(o))
	rank := func(key string) int {
		if i := slices.Index([]string{"parent", "name", "location", "tags", "sku", "zones", "identity"}, key); i >= 0 {
			return i
		}
		return 100
	}
	slices.SortStableFunc(keys, func(a, b string) int { return rank(a) - rank(b) })
	return keys
}
