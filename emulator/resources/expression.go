package resources

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// scope is what template expressions can see.
type scope struct {
	parameters, variables azjson.Object
	group, subscription   azjson.Object
	index                 int                 // of copyIndex
	reference             func(id string) any // nil while resources are not there yet
	values                map[string]any      // of variables that were asked for
	asked                 []string            // for variables, that are being evaluated
}

// evaluate replaces the expressions in v, at every depth.
func (s *scope) evaluate(v any) (any, error) {
	switch x := v.(type) {
	case string:
		return s.text(x)
	case azjson.Object:
		out := make(azjson.Object, len(x))
		for k, e := range x {
			key, err := s.text(k)
			if err != nil {
				return nil, err
			}
			name, ok := key.(string)
			if !ok {
				return nil, fmt.Errorf("the key %q is not a string", k)
			}
			if out[name], err = s.evaluate(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			var err error
			if out[i], err = s.evaluate(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// text evaluates a string: an expression stands in brackets, and two open a literal one.
func (s *scope) text(t string) (any, error) {
	if !strings.HasPrefix(t, "[") || !strings.HasSuffix(t, "]") {
		return t, nil
	}
	if strings.HasPrefix(t, "[[") {
		return t[1:], nil
	}
	p := parser{s: s, rest: t[1 : len(t)-1]}
	v, err := p.value(0)
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("%q is left over", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", t, err)
	}
	return v, nil
}

// parser reads and evaluates one expression.
type parser struct {
	s    *scope
	rest string
}

// maxDepth keeps hostile expressions from exhausting the stack.
const maxDepth = 64

func (p *parser) skip() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *parser) take(c string) bool {
	p.skip()
	if strings.HasPrefix(p.rest, c) {
		p.rest = p.rest[len(c):]
		return true
	}
	return false
}

func (p *parser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested too deeply")
	}
	p.skip()
	v, err := p.primary(depth)
	for err == nil {
		switch {
		case p.take("."):
			name := p.word()
			o, ok := v.(azjson.Object)
			if v == any(unknown{}) {
				continue
			}
			if !ok || name == "" {
				return nil, fmt.Errorf("there is no property %q", name)
			}
			v = member(o, name)
		case p.take("["):
			var i any
			if i, err = p.value(depth + 1); err == nil && !p.take("]") {
				err = fmt.Errorf("a bracket is not closed")
			}
			if err == nil {
				v, err = element(v, i)
			}
		default:
			return v, nil
		}
	}
	return nil, err
}

func member(o azjson.Object, name string) any {
	for k, v := range o {
		if azjson.Fold(k, name) {
			return v
		}
	}
	return nil
}

func element(v, index any) (any, error) {
	if v == any(unknown{}) || index == any(unknown{}) {
		return unknown{}, nil
	}
	if o, ok := v.(azjson.Object); ok {
		if name, ok := index.(string); ok {
			return member(o, name), nil
		}
	}
	l, ok := v.([]any)
	n, isInt := azjson.Int(index)
	if !ok || !isInt || n < 0 || n >= len(l) {
		return nil, fmt.Errorf("there is no element %v", index)
	}
	return l[n], nil
}

func (p *parser) word() string {
	n := 0
	for n < len(p.rest) && isWord(p.rest[n]) {
		n++
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func (p *parser) primary(depth int) (any, error) {
	if p.take("'") {
		var b strings.Builder
		for {
			i := strings.IndexByte(p.rest, '\'')
			if i < 0 {
				return nil, fmt.Errorf("a string is not closed")
			}
			b.WriteString(p.rest[:i])
			p.rest = p.rest[i+1:]
			if !strings.HasPrefix(p.rest, "'") {
				return b.String(), nil
			}
			b.WriteByte('\'')
			p.rest = p.rest[1:]
		}
	}
	name := p.word()
	if n, err := strconv.Atoi(name); err == nil {
		return n, nil
	}
	switch {
	case name == "":
		return nil, fmt.Errorf("a value is missing at %q", p.rest)
	case azjson.Fold(name, "true"), azjson.Fold(name, "false"):
		return azjson.Fold(name, "true"), nil
	case azjson.Fold(name, "null"):
		return nil, nil
	case !p.take("("):
		return nil, fmt.Errorf("%q is not a function", name)
	}
	var args []any
	for !p.take(")") {
		if len(args) > 0 && !p.take(",") {
			return nil, fmt.Errorf("a comma is missing at %q", p.rest)
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	return p.s.invoke(strings.ToLower(name), args)
}

// call evaluates one of the functions that are known here.
func (s *scope) call(name string, args []any) (any, error) {
	str := make([]string, len(args))
	for i, a := range args {
		str[i] = fmt.Sprint(a)
	}
	first := strings.Join(str[:min(1, len(str))], "")
	switch name {
	case "parameters":
		for k, v := range s.parameters {
			if azjson.Fold(k, first) {
				return v, nil
			}
		}
		return nil, fmt.Errorf("the template parameter '%s' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details", first)
	case "variables":
		return s.variable(first)
	case "concat":
		if len(args) > 0 {
			if _, ok := args[0].([]any); ok {
				var all []any
				for _, a := range args {
					l, _ := a.([]any)
					all = append(all, l...)
				}
				return all, nil
			}
		}
		return strings.Join(str, ""), nil
	case "format":
		return formatted(first, str), nil
	case "string":
		return first, nil
	case "tolower":
		return strings.ToLower(first), nil
	case "toupper":
		return strings.ToUpper(first), nil
	case "uniquestring":
		h := sha256.Sum256([]byte(strings.Join(str, "\n")))
		return strings.ToLower(base32.StdEncoding.EncodeToString(h[:]))[:13], nil
	case "resourcegroup":
		return s.group, nil
	case "subscription":
		return s.subscription, nil
	case "copyindex":
		n := 0
		for _, a := range args {
			if i, ok := a.(int); ok {
				n = i
			}
		}
		return s.index + n, nil
	case "resourceid":
		return s.resourceID(str)
	case "reference":
		if s.reference == nil {
			return nil, fmt.Errorf("reference() is possible in outputs only")
		}
		return s.reference(first), nil
	case "providers":
		return azjson.Object{"apiVersions": []any{""}, "locations": []any{}}, nil
	}
	return logical(name, args)
}

// variable evaluates a variable, which may be made of others.
func (s *scope) variable(name string) (any, error) {
	for k, raw := range s.variables {
		if !azjson.Fold(k, name) {
			continue
		}
		if v, ok := s.values[k]; ok {
			return v, nil
		}
		if slices.Contains(s.asked, k) {
			return nil, fmt.Errorf("the template variable '%s' is made of itself: %s", k, strings.Join(append(s.asked, k), ", "))
		}
		s.asked = append(s.asked, k)
		v, err := s.evaluate(raw)
		s.asked = s.asked[:len(s.asked)-1]
		if err == nil {
			if s.values == nil {
				s.values = map[string]any{}
			}
			s.values[k] = v
		}
		return v, err
	}
	return nil, fmt.Errorf("the template variable '%s' is not found. Please see https://aka.ms/arm-syntax-variables for usage details", name)
}

func formatted(pattern string, args []string) string {
	for i, a := range args[min(1, len(args)):] {
		pattern = strings.ReplaceAll(pattern, "{"+strconv.Itoa(i)+"}", a)
	}
	return pattern
}

// resourceID puts an id together: [subscription, [group,]] type, names.
func (s *scope) resourceID(a []string) (any, error) {
	sub, group := azjson.Str(s.subscription, "subscriptionId"), azjson.Str(s.group, "name")
	at := 0
	for at < len(a) && !strings.Contains(a[at], "/") {
		at++
	}
	if at >= len(a) || at > 2 {
		return nil, fmt.Errorf("resourceId() names no type")
	}
	if at > 0 {
		group = a[at-1]
	}
	if at == 2 {
		sub = a[0]
	}
	return idOf(sub, group, a[at], a[at+1:])
}

// idOf interleaves the parts of a full type with names.
func idOf(sub, group, typ string, names []string) (string, error) {
	parts := strings.Split(typ, "/")
	if len(parts) != len(names)+1 {
		return "", fmt.Errorf("%s needs %d names, not %d", typ, len(parts)-1, len(names))
	}
	var id strings.Builder
	id.WriteString("/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/" + parts[0])
	for i, n := range names {
		id.WriteString("/" + parts[i+1] + "/" + n)
	}
	return id.String(), nil
}
