package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

const deploymentV = "?api-version=2026-06-01"

// templated is the body of a deployment.
func templated(template string) string {
	return `{"properties":{"mode":"Incremental","template":` + template + `}}`
}

// TestTemplateIsEvaluated: variables made of variables, outputs made of both, conditions, names in dependsOn.
func TestTemplateIsEvaluated(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		const one = "{G}/providers/Microsoft.Resources/deployments/"
		r.ok(r.do("PUT", one+"whole"+deploymentV, templated(`{"variables":{"name":"[concat(variables('first'),'-b')]","first":"[toLower('NSG')]"},"resources":[
			{"type":"Microsoft.Network/networkSecurityGroups","apiVersion":"2025-05-01","name":"[variables('name')]","location":"westus2","dependsOn":["never","other"]},
			{"type":"Microsoft.Network/networkSecurityGroups","apiVersion":"2025-05-01","name":"never","location":"westus2","condition":false},
			{"type":"Microsoft.Network/networkSecurityGroups","apiVersion":"2025-05-01","name":"other","location":"westus2","condition":"[equals(variables('first'),'nsg')]"}],
			"outputs":{"id":{"type":"string","value":"[resourceId('Microsoft.Network/networkSecurityGroups', variables('name'))]"},
			"state":{"type":"string","value":"[reference(resourceId('Microsoft.Network/networkSecurityGroups', 'other')).provisioningState]"},
			"word":{"type":"securestring","value":"x"}}}`)), 201)
		time.Sleep(5 * time.Minute)
		a := r.ok(r.do("GET", one+"whole"+deploymentV, ""), 200)
		id, _ := a.at("properties", "outputs", "id", "value").(string)
		if a.at("properties", "provisioningState") != "Succeeded" || !strings.HasSuffix(id, "/networkSecurityGroups/nsg-b") || a.at("properties", "outputs", "state", "value") != "Succeeded" ||
			strings.Contains(a.text, `"value":"x"`) {
			t.Error(a.text)
		}
		r.ok(r.do("GET", netRP+"networkSecurityGroups/nsg-b"+networkV, ""), 200)
		r.ok(r.do("GET", netRP+"networkSecurityGroups/other"+networkV, ""), 200)
		r.ok(r.do("GET", netRP+"networkSecurityGroups/never"+networkV, ""), 404)
	})
}

// TestWrongTemplatesAreRefused before anything is made.
func TestWrongTemplatesAreRefused(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		nsg := func(name, more string) string {
			return `{"type":"Microsoft.Network/networkSecurityGroups","name":"` + name + `","location":"westus2"` + more + `}`
		}
		const v = `,"apiVersion":"2025-05-01"`
		for name, c := range map[string]struct{ template, says string }{
			"circle":            {`{"resources":[` + nsg("a", v+`,"dependsOn":["b"]`) + `,` + nsg("b", v+`,"dependsOn":["a"]`) + `]}`, "Circular dependency detected on resource"},
			"no version":        {`{"resources":[` + nsg("a", "") + `]}`, "apiVersion"},
			"unknown function":  {`{"resources":[` + nsg("a", v) + `],"outputs":{"x":{"type":"string","value":"[nothing('x')]"}}}`, "the template function 'nothing' is not valid"},
			"unknown variable":  {`{"resources":[` + nsg("a", v) + `],"outputs":{"x":{"type":"string","value":"[variables('x')]"}}}`, "'x'"},
			"circle of values":  {`{"variables":{"a":"[variables('b')]","b":"[variables('a')]"},"resources":[` + nsg("a", v) + `]}`, "'a'"},
			"unknown resource":  {`{"resources":[` + nsg("a", v+`,"dependsOn":["[resourceId('Microsoft.Network/virtualNetworks','x')]"]`) + `]}`, "is not defined in the template"},
			"doubled and again": {`{"variables":{` + doubled(40) + `},"resources":[` + nsg("a", v) + `]}`, "too long"},
		} {
			if a := r.do("PUT", "{G}/providers/Microsoft.Resources/deployments/wrong"+deploymentV, templated(c.template)); a.status != 400 || a.code() != "InvalidTemplate" || !strings.Contains(a.message(), c.says) {
				t.Errorf("%s: %d %s", name, a.status, a.text)
			}
		}
		r.ok(r.do("GET", netRP+"networkSecurityGroups/a"+networkV, ""), 404)
	})
}

// doubled are variables each of which is twice the one before.
func doubled(n int) string {
	l := []string{`"v0":"x"`}
	for i := range n {
		before := "variables('v" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + "')"
		if i == 0 {
			before = "variables('v0')"
		}
		l = append(l, `"v`+string(rune('0'+(i+1)/10))+string(rune('0'+(i+1)%10))+`":"[concat(`+before+`,`+before+`)]"`)
	}
	return strings.Join(l, ",")
}
