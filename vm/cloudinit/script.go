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

// toolsTemplate is what both share.
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

// Files of an update on a VM. The record is as RecordFile, the output all that its steps print.
const (
	UpdateRecord = "/var/lib/azlin/update.jsonl"
	UpdateOutput = "/var/lib/azlin/update.log"
	UpdateLock   = "/run/azlin/update.lock" // locked (flock) as long as the update goes on
)

// PackagesName is the packages of the system among the results of an update. Its versions tell how many of them have a
// newer one.
const PackagesName = "apt"

// Update is what is to be brought up to date on a VM.
type Update struct {
	User   string // the login user, whose toolchains some tools are
	Tools  []Tool
	Asked  bool // the tools were named: one that is not there is a failure, and not passed over
	System bool // the packages of the system, too
}

// Plan lists what the record of the update will tell of, in order.
func (u Update) Plan() []string {
	plan := names(u.Tools)
	if u.System {
		plan = append(plan, PackagesName)
	}
	return plan
}

// Script renders the shell script that updates, which root runs with UpdateLock locked on descriptor 9.
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

// quote makes one word of the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// scriptFile is an entry of write_files that only root may read and run.
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

// plain reports whether YAML and MIME carry text as it is: printable ASCII in lines of bearable length.
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
