package compute

import "github.com/azlin-dev/azlin/emulator/arm"

// unseen puts back into the entries of a body's lists what a client of an old api-version was not shown
// and so could not send: what happens to disks and interfaces when their VM is deleted.
func unseen(body, have arm.Object) {
	for _, l := range []struct {
		path []string
		key  func(e any) string
		keep []string
	}{
		{[]string{"properties", "storageProfile", "dataDisks"}, func(e any) string { return arm.Str(e, "name") }, []string{"deleteOption"}},
		{[]string{"properties", "networkProfile", "networkInterfaces"}, func(e any) string { return arm.Str(e, "id") }, []string{"properties", "deleteOption"}},
	} {
		for _, e := range arm.List(body, l.path...) {
			o, ok := e.(arm.Object)
			if !ok || l.key(e) == "" {
				continue
			}
			for _, old := range arm.List(have, l.path...) {
				if v := arm.Get(old, l.keep...); v != nil && arm.Fold(l.key(e), l.key(old)) {
					arm.Default(o, v, l.keep...)
				}
			}
		}
	}
}
