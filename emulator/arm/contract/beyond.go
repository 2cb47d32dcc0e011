package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Exception is something that Azure takes or answers, and its descriptions do not have.
type Exception struct {
	Where  string // a definition, or the id of an operation
	What   string // a member, a status, or the method and path of an operation that is left out
	Kind   string // of the member or the body, in the notation of the facts
	Source string // who saw it
}

// Beyond are the exceptions: recordings of Azure win over its descriptions.
func Beyond() []Exception {
	var l []Exception
	for line := range strings.Lines(beyond) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) == 4 && !strings.HasPrefix(line, "#") {
			l = append(l, Exception{f[0], f[1], f[2], f[3]})
		}
	}
	return l
}

// extend adds the exceptions to the facts.
func (f *facts) extend() error {
	for _, x := range Beyond() {
		if !strings.Contains(x.Where, ":") {
			if err := f.allow(x); err != nil {
				return err
			}
			continue
		}
		var k Kind
		if err := json.Unmarshal([]byte(x.Kind), &k); err != nil {
			return fmt.Errorf("%s %s: %w", x.Where, x.What, err)
		}
		where, inside, _ := strings.Cut(x.Where, ".")
		d := f.definitions[where]
		for part := range strings.SplitSeq(inside, ".") {
			if part != "" && d != nil {
				d = d[part].Kind.Inline
			}
		}
		if d == nil {
			return fmt.Errorf("%s: there is no such definition", x.Where)
		}
		m := d[x.What]
		m.Kind = k
		d[x.What] = m
	}
	return nil
}

// allow adds an operation, whose kind says what it takes and what it answers, or a status to one in all api-versions.
func (f *facts) allow(x Exception) error {
	kinds := make([]Kind, 0, 2)
	for d := json.NewDecoder(strings.NewReader(x.Kind)); d.More(); {
		var k Kind
		if err := d.Decode(&k); err != nil {
			return fmt.Errorf("%s %s: %w", x.Where, x.What, err)
		}
		kinds = append(kinds, k)
	}
	if method, path, ok := strings.Cut(x.What, " "); ok {
		answer := Answer{Body: &kinds[len(kinds)-1]}
		key := method + " " + shape(path)
		f.operations[key] = append(f.operations[key], &Operation{
			ID: x.Where, Method: method, Path: path, Body: &kinds[0], Answers: map[string]Answer{"200": answer, "201": answer, "default": {Body: &Kind{Ref: "arm:Error"}}},
		})
		return nil
	}
	found := false
	for _, l := range f.operations {
		for _, o := range l {
			if o.ID != x.Where {
				continue
			}
			found = true
			a := Answer{}
			if len(kinds) > 0 {
				a.Body = &kinds[0]
			}
			o.Answers[x.What] = a
		}
	}
	if !found {
		return fmt.Errorf("%s: there is no such operation", x.Where)
	}
	return nil
}

// open are lists of values that grow without an api-version, or whose values the providers judge by what there is.
func open(member string) bool {
	return slices.Contains([]string{
		"vmSize", "storageAccountType", "diskApiVersion", "networkApiVersion", "supportedSecurityOption", "name", "tier", "kind",
		"access", "direction", "protocol", // of security rules: they have codes of their own
	}, member)
}
