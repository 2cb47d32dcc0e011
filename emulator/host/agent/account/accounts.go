//go:build unix

// Package account reads and writes the users, groups and sudo rules of an emulated VM.
package account

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/host/cloudinit"
)

// ErrNoUser is returned for a user that /etc/passwd does not list.
var ErrNoUser = errors.New("no such user")

// maxAccountFile bounds, in bytes, what is read of a file that root inside the VM may write.
const maxAccountFile = 1 << 20

// Tree is the VM's file system as this process sees it: "" inside namespaces, else a directory.
type Tree string

func (t Tree) Path(name string) string { return filepath.Join("/", string(t), name) }

// Read returns a file of bounded size.
func (t Tree) Read(name string) ([]byte, error) {
	f, err := os.Open(t.Path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxAccountFile))
}

// Account is a line of /etc/passwd.
type Account struct {
	Name, Comment, Home, Shell string
	UID, GID                   int
}

func RootAccount() Account {
	return Account{Name: "root", Comment: "root", Home: "/root", Shell: "/bin/bash"}
}

// ParseAccounts reads /etc/passwd; lines it cannot read are left out, as getpwent does.
func ParseAccounts(data []byte) []Account {
	var accounts []Account
	scanner := bufio.NewScanner(bytes.NewReader(data))
	for scanner.Scan() {
		f := strings.Split(scanner.Text(), ":")
		if len(f) != 7 || f[0] == "" {
			continue
		}
		uid, err1 := strconv.ParseUint(f[2], 10, 31)
		gid, err2 := strconv.ParseUint(f[3], 10, 31)
		if err1 != nil || err2 != nil {
			continue
		}
		a := Account{Name: f[0], UID: int(uid), GID: int(gid), Comment: f[4], Home: f[5], Shell: f[6]}
		if a.Shell == "" {
			a.Shell = "/bin/sh"
		}
		accounts = append(accounts, a)
	}
	return accounts
}

// Lookup finds a user by name.
func (t Tree) Lookup(name string) (Account, error) {
	return t.find(name, func(a Account) bool { return a.Name == name })
}

// LookupID finds a user by id.
func (t Tree) LookupID(uid int) (Account, error) {
	return t.find(strconv.Itoa(uid), func(a Account) bool { return a.UID == uid })
}

func (t Tree) find(what string, is func(Account) bool) (Account, error) {
	data, err := t.Read("etc/passwd")
	if err != nil {
		return Account{}, err
	}
	for _, a := range ParseAccounts(data) {
		if is(a) {
			return a, nil
		}
	}
	return Account{}, fmt.Errorf("%s: %w", what, ErrNoUser)
}

// GroupsOf lists the names of the groups a user is in.
func (t Tree) GroupsOf(a Account) []string {
	data, err := t.Read("etc/group")
	if err != nil {
		return nil
	}
	var groups []string
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 4 {
			continue
		}
		if f[2] == strconv.Itoa(a.GID) || slices.Contains(strings.Split(f[3], ","), a.Name) {
			groups = append(groups, f[0])
		}
	}
	return groups
}

// AddUser creates what useradd -m would: entries, home, skeleton. A user who is there already stays as it is.
func (t Tree) AddUser(u cloudinit.User) (Account, error) {
	if !cloudinit.ValidUserName(u.Name) {
		return Account{}, fmt.Errorf("invalid user name %q", u.Name)
	}
	if a, err := t.Lookup(u.Name); err == nil {
		return a, nil
	}
	data, err := t.Read("etc/passwd")
	if err != nil {
		return Account{}, err
	}
	id := 1000
	for _, a := range ParseAccounts(data) {
		if a.UID >= id && a.UID < 60000 {
			id = a.UID + 1
		}
	}
	a := Account{Name: u.Name, Comment: u.Comment, UID: id, GID: id, Home: u.Home, Shell: u.Shell}
	if a.Home == "" {
		a.Home = "/home/" + u.Name
	}
	if a.Shell == "" {
		a.Shell = "/bin/bash"
	}
	for _, field := range []string{a.Comment, a.Home, a.Shell} {
		if strings.ContainsAny(field, ":\n") {
			return Account{}, fmt.Errorf("user %s: a field holds a colon or a line break", u.Name)
		}
	}
	if err := t.AppendLine("etc/passwd", fmt.Sprintf("%s:x:%d:%d:%s:%s:%s", a.Name, a.UID, a.GID, a.Comment, a.Home, a.Shell)); err != nil {
		return Account{}, err
	}
	if err := t.AppendLine("etc/shadow", fmt.Sprintf("%s:!:20000:0:99999:7:::", a.Name)); err != nil {
		return Account{}, err
	}
	if err := t.addGroups(a, u.Groups); err != nil {
		return Account{}, err
	}
	return a, t.makeHome(a)
}

// MakeDir makes a directory with exactly this mode, whatever the umask.
func MakeDir(path string, mode os.FileMode) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		if errors.Is(err, os.ErrExist) {
			return nil
		}
		return err
	}
	return os.Chmod(path, mode)
}

// addGroups gives the user a group of its own and makes it a member of others, which are created as needed.
func (t Tree) addGroups(a Account, groups []string) error {
	data, err := t.Read("etc/group")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	lines = append(lines, fmt.Sprintf("%s:x:%d:", a.Name, a.GID))
	next := 900
	for _, group := range groups {
		if !cloudinit.ValidUserName(group) {
			continue
		}
		i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, group+":") })
		if i < 0 {
			for slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, fmt.Sprintf(":%d:", next)) }) {
				next++
			}
			lines = append(lines, fmt.Sprintf("%s:x:%d:", group, next))
			i = len(lines) - 1
		}
		if !strings.HasSuffix(lines[i], ":") {
			lines[i] += ","
		}
		lines[i] += a.Name
	}
	return os.WriteFile(t.Path("etc/group"), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// AddGroup makes a group that is not there.
func (t Tree) AddGroup(name string) error {
	if !cloudinit.ValidUserName(name) {
		return fmt.Errorf("invalid group name %q", name)
	}
	data, err := t.Read("etc/group")
	if err != nil {
		return err
	}
	text := "\n" + string(data)
	if strings.Contains(text, "\n"+name+":") {
		return nil
	}
	id := 1100
	for strings.Contains(text, fmt.Sprintf(":%d:", id)) {
		id++
	}
	return t.AppendLine("etc/group", fmt.Sprintf("%s:x:%d:", name, id))
}

func (t Tree) makeHome(a Account) error {
	home := t.Path(a.Home)
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return err
	}
	if err := MakeDir(home, 0o750); err != nil {
		return err
	}
	skeleton, err := os.ReadDir(t.Path("etc/skel"))
	if err != nil {
		return nil // none on this host
	}
	for _, e := range skeleton {
		if !e.Type().IsRegular() {
			continue
		}
		data, err := t.Read(filepath.Join("etc/skel", e.Name()))
		if err != nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(home, e.Name()), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Authorize sets the user's authorized keys. add keeps those that are there.
func (t Tree) Authorize(a Account, keys []string, add bool) error {
	home, err := os.OpenRoot(t.Path(a.Home)) // the user may have made .ssh a link to anywhere
	if err != nil {
		return err
	}
	defer home.Close()
	if err := home.Mkdir(".ssh", 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	const name = ".ssh/authorized_keys"
	var lines []string
	if add {
		if old, err := home.ReadFile(name); err == nil {
			lines = strings.Split(strings.TrimSpace(string(old)), "\n")
		}
	}
	for _, key := range keys {
		key = strings.TrimSpace(key)
		if key != "" && !strings.ContainsAny(key, "\n\r") && !slices.Contains(lines, key) {
			lines = append(lines, key)
		}
	}
	return home.WriteFile(name, []byte(strings.TrimSpace(strings.Join(lines, "\n"))+"\n"), 0o600)
}

func (t Tree) AppendLine(name, line string) error {
	f, err := os.OpenFile(t.Path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, line); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
