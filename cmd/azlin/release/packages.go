package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"

	"github.com/azlin-dev/azlin/local/config"
)

// systemPackages makes a deb and an rpm with nfpm, whose modules are those of tools.mod.
func systemPackages(ctx context.Context, out, work string, from source, p platform, binary string, extras []entry) error {
	type content struct {
		Source      string `yaml:"src"`
		Destination string `yaml:"dst"`
	}
	contents := []content{{binary, "/usr/bin/azlin"}}
	for _, e := range extras {
		if to := installed(e); to != "" {
			contents = append(contents, content{e.file, to})
		}
	}
	data, err := yaml.Marshal(map[string]any{
		"name": "azlin", "arch": p.arch, "platform": "linux", "version": from.version, "section": "utils", "license": "MIT",
		"maintainer": "The azlin authors <azlin@azlin.dev>", "homepage": "https://github.com/azlin-dev/azlin",
		"description": "Manage development VMs on Azure", "mtime": from.date,
		"depends": []string{"openssh-client"}, "recommends": []string{"git", "rsync"}, "contents": contents,
		"overrides": map[string]any{"rpm": map[string]any{"depends": []string{"openssh-clients"}}},
		"rpm":       map[string]any{"buildhost": "azlin"},
	})
	if err != nil {
		return err
	}
	file := filepath.Join(work, "nfpm-"+p.arch+".yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	for _, format := range []string{"deb", "rpm"} {
		fmt.Printf("packing %s for %s\n", format, p.arch)
		cmd := exec.CommandContext(ctx, "go", "tool", "-modfile=cmd/azlin/release/tools.mod", "nfpm", "package", "--config", file, "--packager", format, "--target", out)
		cmd.Env = append(config.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", from.date.Unix()))
		if answer, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("nfpm: %w: %s", err, answer)
		}
	}
	return nil
}

// installed is where a file goes on Linux; empty: nowhere.
func installed(e entry) string {
	name := filepath.Base(e.file)
	switch {
	case e.dir == "man":
		return "/usr/share/man/man1/" + name
	case name == "azlin.bash":
		return "/usr/share/bash-completion/completions/azlin"
	case name == "_azlin":
		return "/usr/share/zsh/vendor-completions/_azlin"
	case name == "azlin.fish":
		return "/usr/share/fish/vendor_completions.d/azlin.fish"
	case e.dir == "":
		return "/usr/share/doc/azlin/" + name
	}
	return ""
}

// formula writes azlin.rb for Homebrew, with the archives of macOS and Linux.
func formula(out string, from source, url string, archives []archived) error {
	type download struct{ URL, SHA256 string }
	downloads := map[string]download{}
	for _, a := range archives {
		sum, err := sha256Of(filepath.Join(out, a.name))
		if err != nil {
			return err
		}
		downloads[a.platform.String()] = download{strings.TrimSuffix(url, "/") + "/v" + from.version + "/" + a.name, sum}
	}
	f, err := os.Create(filepath.Join(out, "azlin.rb"))
	if err != nil {
		return err
	}
	if err := brew().Execute(f, map[string]any{"Version": from.version, "Systems": []map[string]any{
		{"Name": "macos", "ARM": downloads["darwin/arm64"], "Intel": downloads["darwin/amd64"]},
		{"Name": "linux", "ARM": downloads["linux/arm64"], "Intel": downloads["linux/amd64"]},
	}}); err != nil {
		return err
	}
	return f.Close()
}

func brew() *template.Template {
	return template.Must(template.New("azlin.rb").Parse(`class Azlin < Formula
  desc "Manage development VMs on Azure"
  homepage "https://github.com/azlin-dev/azlin"
  version "{{.Version}}"
  license "MIT"
{{range .Systems}}
  on_{{.Name}} do
    on_arm do
      url "{{.ARM.URL}}"
      sha256 "{{.ARM.SHA256}}"
    end
    on_intel do
      url "{{.Intel.URL}}"
      sha256 "{{.Intel.SHA256}}"
    end
  end
{{end}}
  def install
    bin.install "azlin"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/azlin.bash" => "azlin"
    zsh_completion.install "completions/_azlin"
    fish_completion.install "completions/azlin.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/azlin version")
  end
end
`))
}
