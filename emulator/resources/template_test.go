package resources

import (
	"fmt"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

func testScope() *scope {
	return &scope{
		parameters: azjson.Object{"name": "vm", "list": []any{"a", "b"}, "o": azjson.Object{"p": azjson.Object{"q": 7}}}, variables: azjson.Object{"v": "x"},
		group: azjson.Object{"id": "/subscriptions/s/resourceGroups/g", "name": "g", "location": "westus2"}, subscription: azjson.Object{"subscriptionId": "s"}, index: 2,
	}
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                                 "plain",
		"[[literal]":                            "[literal]",
		"[parameters('NAME')]":                  "vm",
		"[variables('v')]":                      "x",
		"[concat('a', parameters('name'), 1)]":  "avm1",
		"[concat('it''s')]":                     "it's",
		"[parameters('list')[1]]":               "b",
		"[parameters('o').p.q]":                 "7",
		"[parameters('o')['p'].q]":              "7",
		"[resourceGroup().location]":            "westus2",
		"[toUpper(toLower('aB'))]":              "AB",
		"[format('{0}-{1}', 'a', copyIndex())]": "a-2",
		"[copyIndex(1)]":                        "3",
		"[resourceId('Microsoft.Network/virtualNetworks', 'n')]":                   "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n",
		"[resourceId('h', 'Microsoft.Network/virtualNetworks/subnets', 'n', 'd')]": "/subscriptions/s/resourceGroups/h/providers/Microsoft.Network/virtualNetworks/n/subnets/d",
	} {
		got, err := testScope().evaluate(in)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{
		"[parameters('none')]", "[nothing()]", "[concat('a']", "[concat('a)]", "[]", "[reference('x')]", "[parameters('list')[9]]", "[resourceId('x')]", "[concat('a') b]",
		"[" + strings.Repeat("concat(", 200) + "'a'" + strings.Repeat(")", 200) + "]",
	} {
		if got, err := testScope().evaluate(in); err == nil {
			t.Errorf("%s is %v", in, got)
		}
	}
}

func FuzzExpression(f *testing.F) {
	f.Add("[concat('a', parameters('name'))]")
	f.Add("[parameters('list')[0].x]")
	f.Add("[format('{0}', ")
	f.Fuzz(func(t *testing.T, in string) {
		_, _ = testScope().evaluate(in) // must come to an end without a panic
	})
}

func TestFilter(t *testing.T) {
	t.Parallel()
	r := &arm.Resource{ID: "/subscriptions/s/resourceGroups/G/providers/N/t/O'Neil", Type: "N/t", Body: azjson.Object{"location": "westus2", "tags": azjson.Object{"Env": "prod"}}}
	for in, want := range map[string]bool{
		"":                      true,
		"name eq 'o''neil'":     true,
		"resourceType eq 'n/T'": true,
		"resourceGroup eq 'g' and location eq 'westus2'": true,
		"resourceGroup eq 'h'":                           false,
		"tagname eq 'env' and tagvalue eq 'PROD'":        true,
		"tagName eq 'env' and tagValue eq 'x'":           false,
		"tagName eq 'none'":                              false,
		"location ne 'eastus'":                           true,
		"substringof('neil', name)":                      true,
		"substringof('xx', name)":                        false,
	} {
		f, err := parseFilter(in)
		if err != nil || f.keeps(r) != want || f.byTag != strings.Contains(strings.ToLower(in), "tagname") {
			t.Errorf("%s: %v %v, want %v", in, f.byTag, err, want)
		}
	}
	for _, in := range []string{"name", "name eq x", "color eq 'red'", "name eq 'a' or name eq 'b'", "name eq 'a' name eq 'b'", "tagName eq 'a' and resourceGroup eq 'g'", "resourceType eq 'N/t' and tagName eq 'a' and tagValue eq 'b'"} {
		if _, err := parseFilter(in); err == nil {
			t.Errorf("%s is understood", in)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("name eq 'a' and tagName eq 'b'")
	f.Add("substringof('x', name) and ")
	f.Fuzz(func(t *testing.T, in string) {
		if f, err := parseFilter(in); err == nil {
			f.keeps(&arm.Resource{ID: "/subscriptions/s/x", Body: azjson.Object{}})
		}
	})
}
