package compute

import (
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// unseen puts back into the entries of a body's lists what a client of an old api-version was not shown
// and so could not send: what happens to disks and interfaces when their VM is deleted.
func unseen(body, have azjson.Object) {
	for _, l := range []struct {
		path []string
		key  func(e any) string
		keep []string
	}{
		{[]string{"properties", "storageProfile", "dataDisks"}, func(e any) string { return azjson.Str(e, "name") }, []string{"deleteOption"}},
		{[]string{"properties", "networkProfile", "networkInterfaces"}, func(e any) string { return azjson.Str(e, "id") }, []string{"properties", "deleteOption"}},
	} {
		for _, e := range azjson.List(body, l.path...) {
			o, ok := e.(azjson.Object)
			if !ok || l.key(e) == "" {
				continue
			}
			for _, old := range azjson.List(have, l.path...) {
				if v := azjson.Get(old, l.keep...); v != nil && azjson.Fold(l.key(e), l.key(old)) {
					azjson.Default(o, v, l.keep...)
				}
			}
		}
	}
}
