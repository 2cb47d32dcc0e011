package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Refusal is why a body is not taken, in the words of the service.
type Refusal struct {
	Code    string
	Message string
	Target  string
	Details []Refusal
}

// Judge holds the body of a request against the descriptions. It returns nil for a body that may be right, and for an operation
// that they do not have. later says of a member, by its path without indices, that it came after the api-version of the request.
func Judge(method, template, version string, raw []byte, later func(path string) bool) *Refusal {
	op := Find(method, template, version)
	if op == nil || op.Body == nil {
		return nil
	}
	n, err := parse(raw)
	if err != nil || n.kind != '{' {
		return nil // was refused as no JSON before
	}
	j := &judge{raw: raw, patch: method == "PATCH", later: later}
	j.words = dialect(template)
	j.root = j.words.root(op)
	def, name := op.Body.object("")
	if def == nil {
		return nil
	}
	// The gateway reads the envelope of a resource before its provider does.
	j.gate = j.words != gateway && def["location"].Kind.Name != "" && method != "POST"
	j.object(n, def, name, "", "")
	if j.fault == nil {
		j.missing(n, def, name, "", j.root)
	}
	return j.fault
}

// envelope are the members of a resource that the gateway knows.
func envelope(name string) bool {
	return slices.Contains([]string{
		"id", "name", "type", "location", "tags", "plan", "sku", "kind", "managedBy", "identity", "properties", "zones",
		"extendedLocation", "etag", "systemData", "placement", "scale", "resources",
	}, name)
}

// judge is one look at a body. The first fault counts, as it does for Azure's reader.
type judge struct {
	raw   []byte
	patch bool
	gate  bool
	words words
	root  string
	later func(path string) bool
	fault *Refusal
}

// object judges the members of an object. plain is its path without indices.
func (j *judge) object(n *node, def Definition, name, path, plain string) {
	for _, m := range n.members {
		if j.fault != nil {
			return
		}
		known, canonical, ok := lookup(def, m.name)
		at, flat := join(path, m.name), join(plain, canonical)
		w := j.words
		if path == "" && j.gate {
			w = gateway
		}
		if !ok && path == "" && j.gate && envelope(canonical) {
			continue
		}
		if !ok && name == "" { // a map that the descriptions know nothing of
			continue
		}
		if !ok || j.later != nil && known.ReadOnly == 0 && m.value.kind != 'n' && path != "" && j.later(flat) {
			if w == gateway && path == "" && j.gate {
				name = "ResourceDefinition"
			}
			j.refuse(w.unknown(m.name, w.typeName(name, path), at, place(j.raw, m.named)), at, w)
			return
		}
		if known.ReadOnly == 1 || m.value.kind == 'n' {
			continue
		}
		j.value(m.value, &known.Kind, owned{name, canonical}, at, flat)
	}
}

// owned is a member of a type, after which Azure names the types of values.
type owned struct{ owner, member string }

func (j *judge) value(n *node, k *Kind, o owned, path, plain string) {
	if j.fault != nil || n.kind == 'n' {
		return
	}
	w := j.words
	if j.gate && !strings.Contains(path, ".") && !strings.Contains(path, "[") {
		w = gateway
	}
	wrong := func(text string) {
		at := place(j.raw, n.end)
		j.refuse(text+". Path '"+path+"', "+at+".", path, w)
	}
	title := strings.ToUpper(o.member[:1]) + o.member[1:]
	switch {
	case k.List != nil:
		if n.kind != '[' {
			wrong(unlike(n, "System.Collections.Generic.List`1["+w.qualified(title)+"]", '['))
			return
		}
		for i, e := range n.items {
			j.value(e, k.List, o, path+"["+strconv.Itoa(i)+"]", plain)
		}
	case k.Map != nil:
		if n.kind != '{' {
			wrong(unlike(n, "System.Collections.Generic.Dictionary`2[System.String,System.String]", '{'))
			return
		}
		for _, m := range n.members {
			j.value(m.value, k.Map, owned{o.member, "value"}, join(path, m.name), plain)
		}
	case k.Ref != "" || k.Inline != nil:
		def, name := k.object(strings.TrimSuffix(o.owner, "PropertiesFormat") + title)
		if n.kind != '{' {
			wrong(unlike(n, w.qualified(name), '{'))
			return
		}
		j.object(n, def, name, path, plain)
	case k.Values != nil:
		j.choice(n, k, o, w, wrong)
	default:
		if text := scalar(n, k.Name); text != "" {
			wrong(text)
		}
	}
}

// choice judges a text that may be one of a few.
func (j *judge) choice(n *node, k *Kind, o owned, w words, wrong func(string)) {
	typ := w.enum(o)
	if n.kind != '"' {
		wrong(unlike(n, typ, '"'))
		return
	}
	same := func(text string) bool {
		text = strings.ReplaceAll(text, " ", "")
		return slices.ContainsFunc(k.Values, func(v string) bool { return strings.EqualFold(strings.ReplaceAll(v, " ", ""), text) })
	}
	if same(n.text) || k.Open && open(o.member) {
		return
	}
	if o.member == "bypass" { // several at once
		all := true
		for part := range strings.SplitSeq(n.text, ",") {
			all = all && same(part)
		}
		if all {
			return
		}
	}
	if w == storage {
		j.fault = &Refusal{Code: "InvalidRequestPropertyValue", Message: fmt.Sprintf("The value '%s' is not allowed for property %s.", n.text, o.member)}
		return
	}
	wrong(fmt.Sprintf(`Error converting value "%s" to type '%s'`, n.text, typ))
}

// missing looks for members that must be there. A PATCH of Microsoft.Compute leaves out what stays, but not within the elements of a list.
func (j *judge) missing(n *node, def Definition, name, path, spoken string) {
	if j.fault != nil || n.kind != '{' {
		return
	}
	whole := !j.patch || j.words != compute || strings.Contains(path, "[")
	for _, k := range sorted(def) {
		m := def[k]
		v := n.get(k)
		at := join(path, k)
		if v == nil {
			if m.Required == 1 && whole && m.ReadOnly == 0 {
				j.fault = j.words.missing(k, path, at, spoken, place(j.raw, n.end), j.gate)
				return
			}
			continue
		}
		if m.ReadOnly == 1 {
			continue
		}
		j.within(v, &m.Kind, owned{name, k}, at, k)
	}
}

func (j *judge) within(v *node, k *Kind, o owned, path, spoken string) {
	switch {
	case k.List != nil:
		for i, e := range v.items {
			j.within(e, k.List, o, path+"["+strconv.Itoa(i)+"]", strings.TrimSuffix(spoken, "s"))
		}
	case k.Map != nil:
		for _, m := range v.members {
			j.within(m.value, k.Map, o, join(path, m.name), spoken)
		}
	case k.Ref != "" || k.Inline != nil:
		def, name := k.object(o.owner + strings.ToUpper(o.member[:1]) + o.member[1:])
		j.missing(v, def, name, path, spoken)
	}
}

func (j *judge) refuse(text, path string, w words) {
	if w == compute {
		path = join(j.root, path)
	}
	j.fault = w.refusal(text, path)
}

func lookup(def Definition, name string) (Member, string, bool) {
	if m, ok := def[name]; ok {
		return m, name, true
	}
	for k, m := range def {
		if strings.EqualFold(k, name) {
			return m, k, true
		}
	}
	return Member{}, name, false
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func sorted(def Definition) []string {
	l := make([]string, 0, len(def))
	for k := range def {
		l = append(l, k)
	}
	slices.Sort(l)
	return l
}

// scalar says what is wrong with a value that is neither object nor list; "" for nothing. Numbers and truths may be written as
// texts, as Azure's reader takes them; a text must be one.
func scalar(n *node, kind string) string {
	switch kind {
	case "any":
		return ""
	case "s":
		if n.kind != '"' {
			return unlike(n, "System.String", '"')
		}
	case "d":
		if n.kind != '"' {
			return unlike(n, "System.DateTime", '"')
		}
		if !isTime(n.text) {
			return "Could not convert string to DateTime: " + n.text
		}
	case "b":
		if n.kind == '"' && (strings.EqualFold(n.text, "true") || strings.EqualFold(n.text, "false")) {
			return ""
		}
		if n.kind == '"' {
			return "Could not convert string to boolean: " + n.text
		}
		if n.kind != 't' {
			return unlike(n, "System.Boolean", 't')
		}
	case "i", "n":
		if n.kind != '0' && n.kind != '"' {
			return unlike(n, "System.Int32", '0')
		}
		number, err := strconv.ParseFloat(n.text, 64)
		switch {
		case err != nil:
			return "Could not convert string to integer: " + n.text
		case kind == "i" && number != float64(int64(number)):
			return "Input string '" + n.text + "' is not a valid integer"
		}
	}
	return ""
}

func isTime(text string) bool {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "2006-01-02T15:04:05.999999999"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

// unlike is how Azure's reader says that a value is of another kind than wanted.
func unlike(n *node, typ string, wanted byte) string {
	switch {
	case n.kind == '{' && wanted == '[':
		return "Cannot deserialize the current JSON object (e.g. {\"name\":\"value\"}) into type '" + typ + "' because the type requires a JSON array (e.g. [1,2,3]) to deserialize correctly.\r\n" +
			"To fix this error either change the JSON to a JSON array (e.g. [1,2,3]) or change the deserialized type so that it is a normal .NET type (e.g. not a primitive type like integer, not a collection type like an array or List<T>) that can be deserialized from a JSON object. JsonObjectAttribute can also be added to the type to force it to deserialize from a JSON object"
	case n.kind == '[' && wanted == '{':
		return "Cannot deserialize the current JSON array (e.g. [1,2,3]) into type '" + typ + "' because the type requires a JSON object (e.g. {\"name\":\"value\"}) to deserialize correctly.\r\n" +
			"To fix this error either change the JSON to a JSON object (e.g. {\"name\":\"value\"}) or change the deserialized type to an array or a type that implements a collection interface (e.g. ICollection, IList) like List<T> that can be deserialized from a JSON array. JsonArrayAttribute can also be added to the type to force it to deserialize from a JSON array"
	case n.kind == '{' || n.kind == '[':
		return "Unexpected character encountered while parsing value: " + string(n.kind)
	case n.kind == '"':
		return `Error converting value "` + n.text + `" to type '` + typ + "'"
	case n.kind == 't':
		return "Error converting value " + strings.ToUpper(n.text[:1]) + n.text[1:] + " to type '" + typ + "'"
	}
	return "Error converting value " + n.text + " to type '" + typ + "'"
}
