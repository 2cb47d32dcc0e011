//go:build unix

package agent

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/cloudinit"
)

func TestSudoRule(t *testing.T) {
	t.Parallel()
	dir := account.Tree(t.TempDir())
	if err := os.MkdirAll(dir.Path("etc/sudoers.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	rules := "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\nfree ALL=(ALL) NOPASSWD:ALL # all of it\n" +
		"narrow ALL=(ALL) NOPASSWD: /bin/ls\ndb ALL=(postgres) NOPASSWD: ALL\nelsewhere other=(ALL) NOPASSWD:ALL\n"
	if err := os.WriteFile(dir.Path("etc/sudoers"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir.Path("etc/sudoers.d"), "90"), []byte("later ALL=(ALL) NOPASSWD:ALL\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		user, target string
		groups       []string
		allowed      bool
		password     bool
	}{
		{user: "free", target: "root", allowed: true},
		{user: "free", target: "anybody", allowed: true},
		{user: "later", target: "root", allowed: true},
		{user: "member", groups: []string{"sudo"}, target: "root", password: true},
		{user: "free", groups: []string{"sudo"}, target: "root", allowed: true},
		{user: "narrow", target: "root"},
		{user: "db", target: "postgres", allowed: true},
		{user: "db", target: "root"},
		{user: "elsewhere", target: "root"},
		{user: "stranger", target: "root"},
	} {
		err := dir.SudoRule(account.Account{Name: tt.user}, tt.groups, tt.target)
		if (err == nil) != tt.allowed || errors.Is(err, account.ErrPassword) != tt.password {
			t.Errorf("%s as %s: %v", tt.user, tt.target, err)
		}
	}
}

func TestAddUser(t *testing.T) {
	t.Parallel()
	dir := account.Tree(t.TempDir())
	if err := prepareTree(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"etc/passwd", "etc/group", "etc/shadow"} {
		if err := os.WriteFile(dir.Path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"first", "second"} {
		a, err := dir.AddUser(cloudinit.User{Name: name, Groups: []string{"both"}})
		if err != nil || a.UID != 1000+i || a.Home != "/home/"+name {
			t.Errorf("%+v %v", a, err)
		}
	}
	who, err := dir.Lookup("second")
	if err != nil {
		t.Fatal(err)
	}
	if got := dir.GroupsOf(who); !cmp.Equal(got, []string{"both", "second"}) && !cmp.Equal(got, []string{"second", "both"}) {
		t.Errorf("groups %q", got)
	}
	for _, bad := range []cloudinit.User{{Name: "x:0:0"}, {Name: "../up"}, {Name: ""}, {Name: "ok", Comment: "a\nroot2:x:0:0::/:/bin/sh"}} {
		if _, err := dir.AddUser(bad); err == nil {
			t.Errorf("%+v was added", bad)
		}
	}
	// A link in place of .ssh must not lead the writer out of the home.
	outside := t.TempDir()
	if err := os.Symlink(outside, dir.Path("/home/second/.ssh")); err != nil {
		t.Fatal(err)
	}
	if err := dir.Authorize(who, []string{"ssh-ed25519 AAAA"}, true); err == nil {
		t.Error("a link was followed out of the home")
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}

func FuzzParseAccounts(f *testing.F) {
	f.Add([]byte("root:x:0:0:root:/root:/bin/bash\nx:y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, a := range account.ParseAccounts(data) {
			if a.Name == "" || a.UID < 0 || a.GID < 0 || a.Shell == "" {
				t.Errorf("%+v", a)
			}
		}
	})
}

func FuzzParseSudoRule(f *testing.F) {
	f.Add("azureuser ALL=(ALL) NOPASSWD:ALL")
	f.Add("%g ALL=(a,b:c) SETENV: ALL")
	f.Fuzz(func(t *testing.T, line string) {
		rule, ok := account.ParseSudoRule(line)
		if ok && rule.Who == "" {
			t.Errorf("%q: %+v", line, rule)
		}
	})
}
