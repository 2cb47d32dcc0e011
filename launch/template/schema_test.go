package template_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/launch/template"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

const schemaFile = "../../docs/template.schema.json"

// TestSchemaSaysWhatParseSays holds the published schema against Parse: what the one takes the other takes, too.
func TestSchemaSaysWhatParseSays(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := template.Format(full())
	if err != nil {
		t.Fatal(err)
	}
	for text, good := range map[string]bool{
		string(whole):                             true,
		"name: a\n":                               true,
		"name: a\ninstall_tools: []\n":            true,
		"name: a\nimage: UbuntuLTS\n":             true,
		"name: a\nimage: base\n":                  true,
		"name: a\nimage: base:2026.1129.101500\n": true,
		"name: a\nimage: base:latest\n":           false,
		"name: a\nimage: /subscriptions/s/x\n":    false,
		"name: a\nimage: /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/x\n": true,
		"name: a\nprivate: true\npublic: false\n":                                                  true,
		"name: a\nidentity: /subscriptions/s/i\n":                                                  true,
		"region: b\n":                                false,
		"name: ../a\n":                               false,
		"name: a\nvm_sise: b\n":                      false,
		"name: a\nregion:\n":                         false,
		"name: a\nregion: a b\n":                     false,
		"name: a\nspot: perhaps\n":                   false,
		"name: a\nzone: '4'\n":                       false,
		"name: a\nimage: a:b\n":                      false,
		"name: a\nadmin_username: Root\n":            false,
		"name: a\ninstall_tools: [cobol]\n":          false,
		"name: a\ninstall_tools: go\n":               false,
		"name: a\nstartup_script: ' '\n":             false,
		"name: a\ncloud_init: hello\n":               false,
		"name: a\ntags: {a/b: c}\n":                  false,
		"name: a\ntags: [a]\n":                       false,
		"name: a\nos_disk_gb: 5000\n":                false,
		"name: a\ndata_disks_gb: [0]\n":              false,
		"name: a\nidentity: mine\n":                  false,
		"name: a\nbranch: b\n":                       false,
		"name: a\nprivate: true\npublic: true\n":     false,
		"name: a\nnat_gateway: true\npublic: true\n": false,
	} {
		var doc any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		_, parsed := template.Parse("x.yaml", []byte(text))
		if said := schema.Validate(doc); (said == nil) != good || (parsed == nil) != good {
			t.Errorf("%q: want it good: %v; the schema says %v, Parse says %v", text, good, said, parsed)
		}
	}
}

// TestSchemaHasEveryField compares names and tools with the code.
func TestSchemaHasEveryField(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]struct {
			Items struct {
				Enum []string `json:"enum"`
			} `json:"items"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	whole := full()
	whole.Public = true
	text, err := template.Format(whole)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := yaml.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	sorted := func(names []string) string { slices.Sort(names); return strings.Join(names, " ") }
	if diff := cmp.Diff(sorted(slices.Collect(maps.Keys(fields))), sorted(slices.Collect(maps.Keys(schema.Properties)))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(cloudinit.ToolNames(), schema.Properties["install_tools"].Items.Enum); diff != "" {
		t.Error(diff)
	}
}
