package contract

import (
	"fmt"
	"strconv"
	"strings"
)

// At is Find for the path of a request.
func At(method, path, version string) *Operation {
	seg := strings.Split(strings.ToLower(strings.TrimRight(path, "/")), "/")
	best, fixed := "", -1
	for key := range known().operations {
		m, template, _ := strings.Cut(key, " ")
		if m != method {
			continue
		}
		if n := fits(strings.Split(template, "/"), seg); n > fixed {
			best, fixed = template, n
		}
	}
	if fixed < 0 {
		return nil
	}
	return Find(method, best, version)
}

// fits counts the segments of a path that a template names; -1 when it is not the template's. A first placeholder may stand for
// the whole path of a resource.
func fits(template, path []string) int {
	if extra := len(path) - len(template); extra > 0 && len(template) > 2 && template[1] == "{}" && template[2] == "providers" {
		path = append([]string{"", path[1]}, path[2+extra:]...)
	}
	if len(template) != len(path) {
		return -1
	}
	n := 0
	for i, t := range template {
		switch t {
		case "{}":
		case path[i]:
			n++
		default:
			return -1
		}
	}
	return n
}

// JudgeAnswer says what of an answer the descriptions do not have: its status, members, and types and values of members.
func JudgeAnswer(op *Operation, status int, raw []byte) []string {
	a, ok := op.Answers[strconv.Itoa(status)]
	if !ok {
		if a, ok = op.Answers["default"]; !ok && status < 400 || ok && status < 400 {
			return []string{fmt.Sprintf("%s\t%d", op.ID, status)}
		}
		if !ok {
			return nil
		}
	}
	if a.Body == nil || len(raw) == 0 {
		return nil
	}
	n, err := parse(raw)
	if err != nil {
		return []string{op.ID + "\t" + err.Error()}
	}
	var found []string
	answered(n, a.Body, op.ID, func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) })
	return found
}

// answered walks through an answer. where is the definition, or the member of one, that a value is in.
func answered(n *node, k *Kind, where string, found func(string, ...any)) {
	if n.kind == 'n' {
		return
	}
	kinds := map[byte]string{'{': "an object", '[': "a list", '"': "a text", '0': "a number", 't': "true or false"}
	switch {
	case k.List != nil:
		if n.kind != '[' {
			found("%s\tis %s, not a list", where, kinds[n.kind])
		}
		for _, e := range n.items {
			answered(e, k.List, where, found)
		}
	case k.Map != nil:
		if n.kind != '{' {
			found("%s\tis %s, not a map", where, kinds[n.kind])
		}
		for _, m := range n.members {
			answered(m.value, k.Map, where, found)
		}
	case k.Ref != "" || k.Inline != nil:
		if n.kind != '{' {
			found("%s\tis %s, not an object", where, kinds[n.kind])
			return
		}
		def, _ := k.object("")
		if k.Ref != "" {
			where = k.Ref
		}
		for _, m := range n.members {
			known, ok := def[m.name]
			if !ok {
				if _, open := def["*"]; !open {
					found("%s\t%s", where, m.name)
				}
				continue
			}
			answered(m.value, &known.Kind, where+"."+m.name, found)
		}
	case k.Values != nil:
		same := false
		for _, v := range k.Values {
			same = same || v == n.text
		}
		if n.kind != '"' || !same && !k.Open {
			found("%s\tmay not be %s", where, n.text)
		}
	default:
		if what := scalar(n, k.Name); what != "" || n.kind == '"' && strings.Contains("bin", k.Name) {
			found("%s\tis %s, not of kind %s", where, kinds[n.kind], k.Name)
		}
	}
}

// Object is the definition behind a kind; nil for what is no object.
func (k *Kind) Object() Definition {
	d, _ := k.object("")
	return d
}
