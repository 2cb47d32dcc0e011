//go:build unix

package userland

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSudo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want sudoOptions
		bad  bool
	}{
		{args: []string{"id"}, want: sudoOptions{user: "root", argv: []string{"id"}}},
		{args: []string{"-n", "id", "-u"}, want: sudoOptions{user: "root", argv: []string{"id", "-u"}}},
		{args: []string{"-nEu", "dev", "--", "-x"}, want: sudoOptions{user: "dev", keepEnv: true, argv: []string{"-x"}}},
		{args: []string{"-udev", "id"}, want: sudoOptions{user: "dev", argv: []string{"id"}}},
		{args: []string{"--user=dev", "--login"}, want: sudoOptions{user: "dev", login: true}},
		{args: []string{"--user", "dev", "id"}, want: sudoOptions{user: "dev", argv: []string{"id"}}},
		{args: []string{"A=1", "B=x=y", "env"}, want: sudoOptions{user: "root", assignments: []string{"A=1", "B=x=y"}, argv: []string{"env"}}},
		{args: []string{"-l"}, want: sudoOptions{user: "root", query: 'l'}},
		{args: []string{"-s"}, want: sudoOptions{user: "root", shell: true}},
		{args: nil, bad: true},
		{args: []string{"-u"}, bad: true},
		{args: []string{"-Z", "id"}, bad: true},
		{args: []string{"--wrong"}, bad: true},
	} {
		got, err := parseSudo(tt.args)
		if (err != nil) != tt.bad {
			t.Errorf("%q: %v", tt.args, err)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(sudoOptions{}), cmp.Comparer(func(a, b []string) bool {
			return len(a) == 0 && len(b) == 0 || cmp.Equal(a, b)
		})); err == nil && diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.args, diff)
		}
	}
}
