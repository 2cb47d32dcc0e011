//go:build unix

package account

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// ErrPassword is sudo's answer to a user who would have to type a password: nobody here has one.
var ErrPassword = errors.New("a password is required")

// SudoRule looks for a rule that lets a user act as target. Only rules for all commands count: a narrower one
// is not widened.
func (t Tree) SudoRule(who Account, groups []string, target string) error {
	files, err := filepath.Glob(t.Path("etc/sudoers.d/*"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	denied := fmt.Errorf("%s is not in the sudoers file", who.Name)
	for _, file := range append([]string{t.Path("etc/sudoers")}, files...) {
		data, err := Tree("").Read(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			rule, ok := ParseSudoRule(line)
			if !ok || !rule.appliesTo(who, groups, target) {
				continue
			}
			if denied = nil; rule.password {
				denied = ErrPassword
			}
		}
	}
	return denied // the last rule that matches wins
}

// SudoRule is "who hosts=(runas) [NOPASSWD:] ALL".
type sudoRule struct {
	Who      string
	runAs    []string
	password bool
}

func ParseSudoRule(line string) (sudoRule, bool) {
	line, _, _ = strings.Cut(line, "#")
	who, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
	if !ok || who == "Defaults" {
		return sudoRule{}, false
	}
	hosts, rest, ok := strings.Cut(rest, "=")
	if !ok || strings.TrimSpace(hosts) != "ALL" {
		return sudoRule{}, false
	}
	rule := sudoRule{Who: who, runAs: []string{"root"}, password: true}
	rest = strings.TrimSpace(rest)
	if list, after, ok := strings.Cut(strings.TrimPrefix(rest, "("), ")"); ok && strings.HasPrefix(rest, "(") {
		users, _, _ := strings.Cut(list, ":")
		rule.runAs = strings.FieldsFunc(users, func(r rune) bool { return r == ',' || r == ' ' })
		rest = strings.TrimSpace(after)
	}
	for _, tag := range []string{"NOPASSWD:", "SETENV:"} {
		if after, ok := strings.CutPrefix(rest, tag); ok {
			rule.password = rule.password && tag != "NOPASSWD:"
			rest = strings.TrimSpace(after)
		}
	}
	return rule, rest == "ALL"
}

func (r sudoRule) appliesTo(who Account, groups []string, target string) bool {
	if r.Who != "ALL" && r.Who != who.Name && !(strings.HasPrefix(r.Who, "%") && slices.Contains(groups, r.Who[1:])) {
		return false
	}
	return slices.Contains(r.runAs, "ALL") || slices.Contains(r.runAs, target)
}
