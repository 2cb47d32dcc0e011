package cloudinit

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"text/template"
)

//go:embed install.sh.tmpl
var installTemplate string

//go:embed update.sh.tmpl
var updateTemplate string

// toolsTemplate holds the shell functions that installing and updating share.
//
//go:embed tools.sh.tmpl
var toolsTemplate string

//go:embed startup.sh
var startupRunner string

//go:embed tmux.conf
var tmuxConfig string

// installScript renders the script that installs tools for user.
func installScript(user string, tools []Tool, startup bool) ([]byte, error) {
	return render(installTemplate, map[string]any{
		"User": quote(user), "Names": strings.Join(names(tools), " "), "Tools": tools, "Startup": startup,
	})
}

// Files of an update on a VM. UpdateOutput holds everything its steps print.
const (
	UpdateRecord = "/var/lib/azlin/update.jsonl"
	UpdateOutput = "/var/lib/azlin/update.log"
	UpdateLock   = "/run/azlin/update.lock" // locked (flock) while the update runs
)

// PackagesName is the name of the system's packages among the results of an update. Its "versions" count the packages that
// have a newer version.
const PackagesName = "apt"

// Update describes an update of a VM.
type Update struct {
	User   string // the login user, who owns the toolchains of some tools
	Tools  []Tool
	Asked  bool // the tools were named explicitly: a missing one is a failure, not skipped
	System bool // also update the system's packages
}

// Plan lists the names that the update's record will contain, in order.
func (u Update) Plan() []string {
	plan := names(u.Tools)
	if u.System {
		plan = append(plan, PackagesName)
	}
	return plan
}

// Script renders the update's shell script, to be run by root with UpdateLock locked on descriptor 9.
func (u Update) Script() ([]byte, error) {
	return render(updateTemplate, map[string]any{
		"User": quote(u.User), "Names": strings.Join(names(u.Tools), " "), "Tools": u.Tools, "Asked": u.Asked, "System": u.System,
		"Record": UpdateRecord, "Output": UpdateOutput,
	})
}

func names(tools []Tool) []string {
	list := make([]string, len(tools))
	for i, tool := range tools {
		list[i] = tool.Name
	}
	return list
}

func render(text string, values map[string]any) ([]byte, error) {
	t, err := template.New("script").Option("missingkey=error").Parse(toolsTemplate)
	if err == nil {
		t, err = t.New("main").Parse(text)
	}
	var b bytes.Buffer
	if err == nil {
		err = t.Execute(&b, values)
	}
	if err != nil {
		return nil, fmt.Errorf("cloud-init: %w", err)
	}
	return b.Bytes(), nil
}

// quote quotes a word for the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// scriptFile is an entry of write_files that only root can read and run.
func scriptFile(path, script string) file {
	if !strings.HasPrefix(script, "#!") {
		script = "#!/bin/sh\n" + script
	}
	f := file{Path: path, Permissions: "0700", Content: script}
	if !plain(script) {
		f.Encoding, f.Content = "b64", base64.StdEncoding.EncodeToString([]byte(script))
	}
	return f
}

// plain reports whether YAML and MIME can hold the text unencoded: printable ASCII in short lines.
func plain(s string) bool {
	width := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			width = 0
			continue
		case c != '\t' && (c < ' ' || c > '~'):
			return false
		}
		if width++; width > 900 { // mail's limit is 998
			return false
		}
	}
	return true
}
