package term

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object whose members keep their order.
type object struct {
	keys   []string
	values map[string]any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for n, k := range o.keys {
		if n > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(k); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(o.values[k]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// only is o with these members, in their order; one that it has not is null.
func (o object) only(keys []string) object {
	out := object{keys: keys, values: map[string]any{}}
	for _, k := range keys {
		out.values[k] = o.values[k]
	}
	return out
}

// valueOf turns data into objects, slices, strings, json.Numbers and booleans by way of its JSON form.
func valueOf(data any) (any, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(&b)
	dec.UseNumber()
	return readValue(dec)
}

func readValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := object{values: map[string]any{}}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name := fmt.Sprint(key)
			if o.values[name], err = readValue(dec); err != nil {
				return nil, err
			}
			o.keys = append(o.keys, name)
		}
		_, err = dec.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := readValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	}
	return token, nil
}

// money is the amount and the currency of a price.
func money(v any) (amount json.Number, currency string, ok bool) {
	o, is := v.(object)
	if !is || len(o.keys) != 2 {
		return "", "", false
	}
	amount, ok = o.values["amount"].(json.Number)
	currency, has := o.values["currency"].(string)
	return amount, currency, ok && has
}

// rawCell is a value for a program: all digits, whole times. ok is false for what has no form of its own in a cell.
func rawCell(v any) (text string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case object:
		amount, _, is := money(v)
		return amount.String(), is
	case []any:
		parts := make([]string, len(v))
		for n, e := range v {
			if _, nested := e.(object); nested {
				return "", false
			}
			if parts[n], ok = rawCell(e); !ok {
				return "", false
			}
		}
		return strings.Join(parts, ","), true
	}
	return "", false
}

// itemsOf are the objects that the rows of a view show: the data itself, the only list in it that has as many, or the data
// as the one item. Nil: they are not known.
func itemsOf(v any, rows int) []object {
	switch v := v.(type) {
	case []any:
		items := make([]object, len(v))
		for n, e := range v {
			o, ok := e.(object)
			if !ok {
				return nil
			}
			items[n] = o
		}
		if len(items) != rows {
			return nil
		}
		return items
	case object:
		for _, k := range v.keys {
			if list, ok := v.values[k].([]any); ok && len(list) == rows {
				if items := itemsOf(list, rows); len(items) > 0 {
					return items
				}
			}
		}
		if rows == 1 {
			return []object{v}
		}
	}
	return nil
}

// compareValues orders values of one member: numbers and amounts by size, everything else as text without regard to case;
// what is not known comes last.
func compareValues(a, b any) int {
	if amount, _, ok := money(a); ok {
		a = amount
	}
	if amount, _, ok := money(b); ok {
		b = amount
	}
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	x, isX := a.(json.Number)
	y, isY := b.(json.Number)
	if isX && isY {
		m, _ := x.Float64() // a JSON number is one
		n, _ := y.Float64()
		switch {
		case m < n:
			return -1
		case m > n:
			return 1
		}
		return 0
	}
	return slices.Compare([]byte(strings.ToLower(cell(a))), []byte(strings.ToLower(cell(b))))
}
