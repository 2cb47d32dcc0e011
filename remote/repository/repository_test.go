package repository_test

import (
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/repository"
)

func TestParseRepository(t *testing.T) {
	t.Parallel()
	for url, name := range map[string]string{
		"https://example.org/me/project.git": "project",
		"https://example.org/me/project/":    "project",
		"ssh://git@example.org/me/a.b.git":   "a.b",
		"git@example.org:me/project.git":     "project",
		"git://127.0.0.1:9418/hello":         "hello",
		"file:///home/me/project":            "project",
		"file:///home/me/project/.git":       "project",
	} {
		r, err := repository.Parse(url, "")
		if err != nil || r.Name != name {
			t.Errorf("%s: got %+v, %v", url, r, err)
		}
	}
	for _, url := range []string{
		"https://me:hunter2@example.org/p", "https://token@example.org/p", "ssh://git:hunter2@example.org/p",
		"", "-oProxyCommand=id", "ext::sh -c id", "https:///p", "https://example.org/", "https://example.org/..",
		"file://other/p", "../p", "https://example.org/p\nx", "https://me:hunter2%zz@example.org/p",
	} {
		r, err := repository.Parse(url, "")
		if errkind.Of(err) != errkind.Invalid {
			t.Errorf("%q was read as %+v, %v", url, r, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	for _, branch := range []string{"-x", "a b", "a..\x00"} {
		if _, err := repository.Parse("https://example.org/p", branch); errkind.Of(err) != errkind.Invalid {
			t.Errorf("branch %q: got %v", branch, err)
		}
	}
}

func FuzzParseRepository(f *testing.F) {
	for _, s := range []string{"https://example.org/p", "git@h:p", "file:///a/.git", "ext::x", "https://a:b@c/d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, url string) {
		r, err := repository.Parse(url, "")
		if err != nil {
			return
		}
		if strings.ContainsAny(r.Name, "/ \n'\"$`;|&") || strings.HasPrefix(r.Name, "-") || r.Name == ".." || r.Name == "." {
			t.Errorf("%q gives the directory %q", url, r.Name)
		}
	})
}
