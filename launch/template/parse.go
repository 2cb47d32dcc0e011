package template

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/errkind"
)

// maxSize limits a file, in bytes: twice Azure's limit for custom data.
const maxSize = 1 << 18

// Parse reads a template from YAML. file is named in errors, with line and column; all of them are Invalid.
func Parse(file string, data []byte) (Config, error) {
	c, where, err := decode(data)
	if err != nil {
		return Config{}, placed(file, where, err)
	}
	if err := c.check(); err != nil {
		at := position{1, 1}
		if wrong, ok := errors.AsType[*fieldError](err); ok {
			if p, known := where.fields[wrong.field]; known {
				at = p
			}
		}
		return Config{}, placed(file, places{at: at}, err)
	}
	return c, nil
}

// Format writes a template as YAML.
func Format(c Config) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(c), enc.Close()); err != nil {
		return nil, fmt.Errorf("write template: %w", err)
	}
	return out.Bytes(), nil
}

// position is a place in a file, both from 1.
type position struct{ line, column int }

// places holds the positions of a file's fields and of its first error.
type places struct {
	at     position
	fields map[string]position
}

func placed(file string, w places, err error) error {
	return &errkind.Error{
		Kind: errkind.Invalid, Op: "read template", Resource: fmt.Sprintf("%s:%d:%d", file, max(w.at.line, 1), max(w.at.column, 1)),
		Class: ErrTemplate, Err: err,
	}
}

// decode reads the fields one by one, so that each error has a position.
func decode(data []byte) (Config, places, error) {
	var c Config
	w := places{fields: map[string]position{}}
	if len(data) > maxSize {
		return c, w, fmt.Errorf("it has %d bytes, and %d are the most", len(data), maxSize)
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return c, w, errors.New("it is empty")
	case err != nil:
		var text string
		w.at, text = syntaxError(data, err)
		return c, w, errors.New(text)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		w.at = position{more.Line, more.Column}
		return c, w, errors.New("one document is wanted, and here is another")
	}
	top := doc.Content[0]
	if w.at = at(top); top.Kind != yaml.MappingNode {
		return c, w, errors.New("fields are wanted, like vm_size: Standard_D4s_v5")
	}
	fields := fieldsOf(&c)
	for n := 0; n < len(top.Content); n += 2 {
		key, value := top.Content[n], top.Content[n+1]
		w.at = at(key)
		field, known := fields[key.Value]
		if !known || key.Kind != yaml.ScalarNode {
			return c, w, fmt.Errorf("there is no field %q", key.Value)
		}
		if _, twice := w.fields[key.Value]; twice {
			return c, w, fmt.Errorf("%s is there twice", key.Value)
		}
		if w.at = at(value); value.Tag == "!!null" {
			return c, w, fmt.Errorf("%s has no value", key.Value)
		}
		w.fields[key.Value] = w.at
		if err := value.Decode(field.Addr().Interface()); err != nil {
			return c, w, fmt.Errorf("%s: %s is wanted", key.Value, wanted(field.Type()))
		}
	}
	return c, w, nil
}

func at(n *yaml.Node) position { return position{n.Line, n.Column} }

// fieldsOf are the fields of a template by their names in the file.
func fieldsOf(c *Config) map[string]reflect.Value {
	v := reflect.ValueOf(c).Elem()
	fields := map[string]reflect.Value{}
	for n := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(n).Tag.Get("yaml"), ",")
		fields[name] = v.Field(n)
	}
	return fields
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Map:
		return "a table of names and values"
	default:
		return "a text"
	}
}

var lineOf = regexp.MustCompile(`line (\d+): `)

// syntaxError extracts the position from the YAML package's message, the only place that has it. It has only a line; the
// column is that of the line's first non-blank.
func syntaxError(data []byte, err error) (position, string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	found := lineOf.FindStringSubmatchIndex(text)
	if found == nil {
		return position{1, 1}, text
	}
	line, _ := strconv.Atoi(text[found[2]:found[3]]) // digits, by the expression
	lines := bytes.Split(data, []byte("\n"))
	line = min(max(line, 1), len(lines))
	indent := len(lines[line-1]) - len(bytes.TrimLeft(lines[line-1], " \t"))
	return position{line, indent + 1}, text[:found[0]] + text[found[1]:]
}
