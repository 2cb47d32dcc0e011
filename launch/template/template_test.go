package template_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch/template"
	"github.com/azlin-dev/azlin/vm/provision"
)

// full has every field set.
func full() template.Config {
	return template.Config{
		Name: "full", Description: "everything", VMSize: "Standard_D4s_v5", Region: "westus2", Zone: "2", Image: "Canonical:ubuntu-24_04-lts:server:latest",
		AdminUsername: "dev", InstallTools: template.Tools{"docker", "go"}, StartupScript: "#!/bin/sh\necho hello\n", CloudInit: "#cloud-config\npackages: [jq]\n",
		Tags: map[string]string{"team": "web"}, OSDiskGB: 64, DataDisksGB: []int{128, 256}, Spot: true, Identity: "system",
		Private: true, NATGateway: true, Repo: "https://github.com/you/project", Branch: "main",
	}
}

// TestEveryFieldActs clears or sets one field after the other, and each time the launch asks for something else.
func TestEveryFieldActs(t *testing.T) {
	t.Parallel()
	all, err := full().Request()
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(full())
	for n := range v.NumField() {
		name := v.Type().Field(n).Name
		if name == "Description" {
			continue // for people
		}
		changed := full()
		field := reflect.ValueOf(&changed).Elem().Field(n)
		if name == "Public" {
			field.SetBool(true)
		} else {
			field.SetZero()
		}
		r, err := changed.Request()
		if err != nil {
			t.Fatal(err)
		}
		if reflect.DeepEqual(all, r) {
			t.Errorf("%s makes no difference", name)
		}
	}
	if all.Template != "full" || all.Size != "Standard_D4s_v5" || !slices.Equal(all.Tools, []string{"docker", "go"}) || all.Repository.Branch != "main" ||
		!cmp.Equal(all.DataDisks, []provision.DataDisk{{SizeGB: 128}, {SizeGB: 256}}) || string(all.CloudInit) != full().CloudInit {
		t.Errorf("%+v", all)
	}
	if r, err := (template.Config{Name: "x", Image: "UbuntuLTS"}).Request(); err != nil || r.Image != "" || r.Tools != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestFormatAndParse(t *testing.T) {
	t.Parallel()
	none := template.Config{Name: "none", InstallTools: template.Tools{}}
	for _, c := range []template.Config{full(), none, {Name: "least"}} {
		data, err := template.Format(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := template.Parse("x.yaml", data)
		if diff := cmp.Diff(c, back); err != nil || diff != "" {
			t.Errorf("%v %s\n%s", err, diff, data)
		}
	}
}

func TestMistakesHaveAPlace(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"empty":         {"", "x.yaml:1:1: it is empty"},
		"syntax":        {"name: a\n  vm_size: [\n", "x.yaml:"},
		"unknown":       {"name: a\nvm_sise: b\n", `x.yaml:2:1: there is no field "vm_sise"`},
		"twice":         {"name: a\nname: b\n", "x.yaml:2:1: name is there twice"},
		"no value":      {"name: a\nregion:\n", "x.yaml:2:8: region has no value"},
		"kind":          {"name: a\nspot: perhaps\n", "x.yaml:2:7: spot: true or false is wanted"},
		"list":          {"name: a\ninstall_tools: go\n", "x.yaml:2:16: install_tools: a list is wanted"},
		"number":        {"name: a\nos_disk_gb: big\n", "x.yaml:2:13: os_disk_gb: a whole number is wanted"},
		"table":         {"name: a\ntags: [a]\n", "x.yaml:2:7: tags: a table of names and values is wanted"},
		"text":          {"name: a\nregion: [a]\n", "x.yaml:2:9: region: a text is wanted"},
		"no table":      {"- a\n", "x.yaml:1:1: fields are wanted"},
		"two documents": {"name: a\n---\nname: b\n", "one document is wanted"},
		"tool":          {"name: a\ninstall_tools: [go, cobol]\n", "x.yaml:2:16: install_tools: "},
		"tag":           {"name: a\ntags:\n  a/b: c\n", `x.yaml:3:3: tags: tag "a/b"`},
		"zone":          {"name: a\nzone: '4'\n", `x.yaml:2:7: zone: zone "4"`},
		"user":          {"name: a\nadmin_username: root\n", "x.yaml:2:17: admin_username"},
		"image":         {"name: a\nimage: a:b\n", "x.yaml:2:8: image"},
		"disk":          {"name: a\ndata_disks_gb: [0]\n", "x.yaml:2:16: data_disks_gb"},
		"cloud-init":    {"name: a\ncloud_init: hello\n", "x.yaml:2:13: cloud_init"},
		"script":        {"name: a\nstartup_script: ' '\n", "x.yaml:2:17: startup_script"},
		"repo":          {"name: a\nrepo: https://u:secret@h/x\n", "x.yaml:2:7: repo"},
		"branch":        {"name: a\nbranch: b\n", "x.yaml:2:9: branch"},
		"both":          {"name: a\nprivate: true\npublic: true\n", "x.yaml:3:9: public: private and public at once"},
		"no name":       {"region: westus2\n", "x.yaml:1:1: name"},
		"a path":        {"name: ../a\n", "x.yaml:1:7: name"},
	} {
		_, err := template.Parse("x.yaml", []byte(tc.text))
		if !errors.Is(err, template.ErrTemplate) || errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: a secret is in %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	data, err := template.Format(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("name: a\ntags: &a\n  b: *a\n"))
	f.Add([]byte("a: [\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := template.Parse("x.yaml", data)
		if err != nil {
			if !errors.Is(err, template.ErrTemplate) || errkind.Of(err) != errkind.Invalid {
				t.Errorf("%v", err)
			}
			return
		}
		if _, err := c.Request(); err != nil {
			t.Errorf("valid, but no request: %v", err)
		}
	})
}

func TestStore(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), template.Store{Dir: filepath.Join(t.TempDir(), "templates")}
	if names, err := s.List(); err != nil || len(names) != 0 {
		t.Fatalf("%v, %v", names, err)
	}
	if err := s.Create(ctx, full()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(s.Path("full")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := s.Create(ctx, full()); errkind.Of(err) != errkind.Conflict || !errors.Is(err, template.ErrTemplate) {
		t.Errorf("twice: %v", err)
	}
	if err := s.Replace(ctx, template.Config{Name: "full", Region: "eastus"}); err != nil {
		t.Error(err)
	}
	if c, err := s.Load("full"); err != nil || c.Region != "eastus" || c.VMSize != "" {
		t.Errorf("%+v, %v", c, err)
	}
	text := "# mine\nname: kept # as it is\n"
	if c, err := s.Import(ctx, "a.yaml", []byte(text), "", false); err != nil || c.Name != "kept" {
		t.Errorf("%v, %v", c, err)
	}
	if data, err := s.Export("kept"); err != nil || string(data) != text {
		t.Errorf("%q, %v", data, err)
	}
	if c, err := s.Import(ctx, "a.yaml", []byte(text), "other", false); err != nil || c.Name != "other" {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := s.Import(ctx, "a.yaml", []byte(text), "", false); errkind.Of(err) != errkind.Conflict {
		t.Errorf("again: %v", err)
	}
	if err := s.Create(ctx, template.Config{Name: "../out"}); errkind.Of(err) != errkind.Invalid {
		t.Errorf("a path: %v", err)
	}
	// Damaged files are named, stay as they are, and can be taken away.
	damaged := "name: bad\nspot: [\n"
	for name, content := range map[string]string{"bad": damaged, "wrong": "name: right\n"} {
		if err := os.WriteFile(s.Path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(name); errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), s.Path(name)+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if data, err := os.ReadFile(s.Path("bad")); err != nil || string(data) != damaged {
		t.Errorf("%q, %v", data, err)
	}
	if names, err := s.List(); err != nil || !slices.Equal(names, []string{"bad", "full", "kept", "other", "wrong"}) {
		t.Errorf("%v, %v", names, err)
	}
	if err := s.Delete(ctx, "bad"); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{"load": second(s.Load("bad")), "delete": s.Delete(ctx, "bad"), "export": second(s.Export("bad"))} {
		if errkind.Of(err) != errkind.NotFound || !errors.Is(err, template.ErrTemplate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOneOfManyCreates lets several create the same template at once: one of them does.
func TestOneOfManyCreates(t *testing.T) {
	t.Parallel()
	s := template.Store{Dir: t.TempDir()}
	errs := make([]error, 8)
	var all sync.WaitGroup
	for n := range errs {
		all.Go(func() { errs[n] = s.Create(context.Background(), template.Config{Name: "one", OSDiskGB: n + 1}) })
	}
	all.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if errkind.Of(err) != errkind.Conflict {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d were made", made)
	}
}

func TestFromVM(t *testing.T) {
	t.Parallel()
	want := full()
	r, err := want.Request()
	if err != nil {
		t.Fatal(err)
	}
	got := template.FromVM("full", r.Config)
	// What a VM does not tell.
	want.Description, want.InstallTools, want.StartupScript, want.CloudInit, want.NATGateway, want.Repo, want.Branch = "", nil, "", "", false, "", ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }
