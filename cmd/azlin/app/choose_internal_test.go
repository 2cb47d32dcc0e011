package app

import (
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

func TestChooseVMs(t *testing.T) {
	t.Parallel()
	all := []vm.Info{
		{Name: "web-1", ID: "1", SessionName: "front"},
		{Name: "Web-2", ID: "2", PublicIP: "20.1.2.3"},
		{Name: "db", ID: "3", SessionName: "web-db"},
		{Name: "web-1", ID: "4", ResourceGroup: "other"},
	}
	for selectors, want := range map[string]string{
		"db":               "3",
		"front":            "1",
		"20.1.2.3":         "2",
		"web-*":            "1 2 3 4", // names in any letter case, and sessions
		"we?-2 db web-*":   "2 3 1 4",
		"db:a db:b db:a":   "3:a 3:b",
		"db db:a":          "3",
		"[wd]b":            "3",
		"nosuch":           "notfound",
		"web-":             "notfound",
		"x*":               "notfound",
		"web-1":            "conflict",
		"[":                "invalid",
		"db nosuch":        "notfound",
		"F*":               "notfound",
		"FRONT":            "notfound",
		"front:x front":    "1:x 1",
		"*":                "1 2 3 4",
		"DB":               "3",
		"web-* front db:x": "1 2 3 4",
	} {
		matches, err := ChooseVMs(all, strings.Fields(selectors))
		var got []string
		for _, m := range matches {
			got = append(got, strings.TrimSuffix(m.VM.ID+":"+m.TmuxSession, ":"))
		}
		if err != nil {
			got = []string{string(errkind.Of(err))}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v; want %s", selectors, got, err, want)
		}
	}
}
