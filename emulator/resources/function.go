package resources

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// unknown stands for what a resource will say once it is there: whatever is made of it is unknown, too.
type unknown struct{}

// functions are those of templates that are evaluated here.
func functions() []string {
	return strings.Fields(`parameters variables concat format string tolower toupper uniquestring resourcegroup subscription copyindex
		resourceid reference providers equals not and or if empty length contains int bool add sub mul div mod less lessorequals greater
		greaterorequals createarray createobject first last split join replace substring trim startswith endswith union coalesce array max min
		deployment environment tenant`)
}

// longest is how long a text gets by evaluation; hostile templates double one again and again.
const longest = 1 << 20

// invoke evaluates a function after it was looked at.
func (s *scope) invoke(name string, args []any) (any, error) {
	if !slices.Contains(functions(), name) {
		return nil, fmt.Errorf("the template function '%s' is not valid. Please see https://aka.ms/arm-functions for usage details", name)
	}
	if slices.Contains(args, any(unknown{})) {
		return unknown{}, nil
	}
	v, err := s.call(name, args)
	if text, ok := v.(string); ok && len(text) > longest {
		return nil, fmt.Errorf("the text that %s() makes is too long", name)
	}
	return v, err
}

// logical are the functions of truths, numbers, lists and texts that need nothing of the deployment.
func logical(name string, args []any) (any, error) {
	at := func(n int) any {
		if n < len(args) {
			return args[n]
		}
		return nil
	}
	text := func(n int) string { return fmt.Sprint(at(n)) }
	switch name {
	case "equals":
		return same(at(0), at(1)), nil
	case "not":
		return !truth(at(0)), nil
	case "and":
		return !slices.ContainsFunc(args, func(v any) bool { return !truth(v) }), nil
	case "or":
		return slices.ContainsFunc(args, truth), nil
	case "if":
		if truth(at(0)) {
			return at(1), nil
		}
		return at(2), nil
	case "empty":
		return size(at(0)) == 0, nil
	case "length":
		return size(at(0)), nil
	case "contains":
		switch x := at(0).(type) {
		case []any:
			return slices.ContainsFunc(x, func(v any) bool { return same(v, at(1)) }), nil
		case azjson.Object:
			return member(x, text(1)) != nil, nil
		}
		return strings.Contains(text(0), text(1)), nil
	case "bool":
		return truth(at(0)), nil
	case "startswith":
		return strings.HasPrefix(strings.ToLower(text(0)), strings.ToLower(text(1))), nil
	case "endswith":
		return strings.HasSuffix(strings.ToLower(text(0)), strings.ToLower(text(1))), nil
	case "createarray":
		return append([]any{}, args...), nil
	case "array":
		if l, ok := at(0).([]any); ok {
			return l, nil
		}
		return []any{at(0)}, nil
	case "createobject":
		o := azjson.Object{}
		for i := 0; i+1 < len(args); i += 2 {
			o[text(i)] = args[i+1]
		}
		return o, nil
	case "coalesce":
		for _, v := range args {
			if v != nil {
				return v, nil
			}
		}
		return nil, nil
	case "union":
		return union(args), nil
	case "split":
		l := []any{}
		for part := range strings.SplitSeq(text(0), text(1)) {
			l = append(l, part)
		}
		return l, nil
	case "join":
		l, _ := at(0).([]any)
		words := make([]string, len(l))
		for i, v := range l {
			words[i] = fmt.Sprint(v)
		}
		return strings.Join(words, text(1)), nil
	case "replace":
		return strings.ReplaceAll(text(0), text(1), text(2)), nil
	case "trim":
		return strings.TrimSpace(text(0)), nil
	case "first", "last":
		return end(at(0), name == "last"), nil
	case "substring":
		return substring(text(0), args)
	}
	return arithmetic(name, args)
}

func arithmetic(name string, args []any) (any, error) {
	var n []int
	for _, a := range args {
		i, ok := azjson.Int(a)
		if !ok {
			return nil, fmt.Errorf("%v is no number for %s()", a, name)
		}
		n = append(n, i)
	}
	if len(n) == 0 || len(n) < 2 && name != "int" && name != "max" && name != "min" {
		return nil, fmt.Errorf("%s() has too few arguments", name)
	}
	switch name {
	case "int":
		return n[0], nil
	case "max":
		return slices.Max(n), nil
	case "min":
		return slices.Min(n), nil
	case "add":
		return n[0] + n[1], nil
	case "sub":
		return n[0] - n[1], nil
	case "mul":
		return n[0] * n[1], nil
	case "less":
		return n[0] < n[1], nil
	case "lessorequals":
		return n[0] <= n[1], nil
	case "greater":
		return n[0] > n[1], nil
	case "greaterorequals":
		return n[0] >= n[1], nil
	case "div", "mod":
		if n[1] == 0 {
			return nil, fmt.Errorf("%s() divides by zero", name)
		}
		if name == "div" {
			return n[0] / n[1], nil
		}
		return n[0] % n[1], nil
	}
	return nil, fmt.Errorf("the emulator does not implement the template function %s()", name)
}

func truth(v any) bool {
	switch x := v.(type) {
	case bool:
		return x
	case string:
		return azjson.Fold(x, "true")
	}
	n, ok := azjson.Int(v)
	return ok && n != 0
}

func same(a, b any) bool {
	if x, ok := azjson.Int(a); ok {
		y, is := azjson.Int(b)
		_, texts := a.(string)
		_, text := b.(string)
		return is && x == y && texts == text
	}
	return azjson.Same(a, b)
}

func size(v any) int {
	switch x := v.(type) {
	case []any:
		return len(x)
	case azjson.Object:
		return len(x)
	case string:
		return len([]rune(x))
	}
	return 0
}

func end(v any, last bool) any {
	l, ok := v.([]any)
	if !ok {
		for _, r := range fmt.Sprint(v) {
			l = append(l, string(r))
		}
	}
	switch {
	case len(l) == 0:
		return nil
	case last:
		return l[len(l)-1]
	}
	return l[0]
}

func union(args []any) any {
	o, list := azjson.Object{}, []any{}
	for _, a := range args {
		switch x := a.(type) {
		case azjson.Object:
			azjson.Merge(o, x)
		case []any:
			for _, v := range x {
				if !slices.ContainsFunc(list, func(have any) bool { return same(have, v) }) {
					list = append(list, v)
				}
			}
		}
	}
	if len(args) > 0 {
		if _, ok := args[0].([]any); ok {
			return list
		}
	}
	return o
}

func substring(text string, args []any) (any, error) {
	from, to := 0, len(text)
	if len(args) > 1 {
		from, _ = azjson.Int(args[1])
	}
	if len(args) > 2 {
		n, _ := azjson.Int(args[2])
		to = from + n
	}
	if from < 0 || to < from || to > len(text) {
		return nil, fmt.Errorf("the index of substring() is outside of '%s' (%s)", text, strconv.Itoa(len(text)))
	}
	return text[from:to], nil
}
