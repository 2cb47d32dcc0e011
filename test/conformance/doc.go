// Package conformance says, operation by operation, what Azure answers: status, headers and the shape of the
// body, each with the source it was learned from. The same cases run against the emulator, where nothing may
// be there that is not expected, and against a real subscription, where more may be:
//
//	go test ./test/conformance
//	go test -tags live ./test/conformance   (make live)
//
// Mutations are the check of the checker: an emulator whose answers are changed in one place must fail.
package conformance

import (
	"embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Case is one request and what is expected of its answer. The cases of a file build upon each other.
//
// A request goes to the resource manager, or to the URL that stands in place of its path.
//
// Texts may hold {sub}, {tenant}, {G} (the path of the run's resource group), {group}, {location} and {run},
// which is lower-case and different for each run, {token}, and whatever earlier cases have kept.
type Case struct {
	Name    string            `yaml:"name"`
	Source  string            `yaml:"source"`  // a kind of provenance, then where it was seen
	Request string            `yaml:"request"` // method, path and query
	Body    any               `yaml:"body"`
	Form    map[string]string `yaml:"form"`
	Send    map[string]string `yaml:"send"` // headers of the request
	As      string            `yaml:"as"`   // "nobody": without a token
	Status  int               `yaml:"status"`
	Headers map[string]string `yaml:"headers"` // beside those that every answer of the service carries
	Rate    string            `yaml:"rate"`    // Microsoft.Compute's name for what the request counts against
	Shape   any               `yaml:"shape"`   // of the body; see Match. Absent: no body
	Wait    string            `yaml:"wait"`    // how the operation is followed: compute, disk, gallery, network, group, history, storage, deployment
	Output  any               `yaml:"output"`  // shape of what the operation finds out, in its properties and at Location. Absent: nothing
	Keep    map[string]string `yaml:"keep"`    // texts of the body, by dotted path ("." is the whole), under a name for later cases
	Only    string            `yaml:"only"`    // "emulator": not for a real subscription
	File    string            `yaml:"-"`
}

//go:embed cases/*.yaml
var files embed.FS

// Load returns all cases in the order in which they run.
func Load() ([]Case, error) {
	entries, err := files.ReadDir("cases")
	if err != nil {
		return nil, err
	}
	var all []Case
	for _, e := range entries {
		data, err := files.ReadFile("cases/" + e.Name())
		if err != nil {
			return nil, err
		}
		var file struct {
			Shapes map[string]any `yaml:"shapes"` // only to be referred to
			Cases  []Case         `yaml:"cases"`
		}
		d := yaml.NewDecoder(strings.NewReader(string(data)))
		d.KnownFields(true)
		if err := d.Decode(&file); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		for _, c := range file.Cases {
			c.File = e.Name()
			all = append(all, c)
		}
	}
	return all, nil
}
