// Package prereq lists the programs that azlin runs on this machine, what needs them, and how to install them. It runs them
// only to read their versions.
package prereq

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
)

// Need is an action that requires a program.
type Need string

// The actions that require a program. Everything else requires none.
const (
	Connect      Need = "connect to a VM interactively"
	AzureCLI     Need = "sign in with the Azure CLI's session"
	GitHubClone  Need = "clone a private GitHub repository over https"
	LocalGit     Need = "send a repository of this machine to a VM"
	Multiplexing Need = "open tmux windows on this machine"
)

// Tool is a program that azlin runs on this machine.
type Tool struct {
	Name    string // "ssh"
	For     []Need
	Package string // Debian's and Ubuntu's
	version []string
}

// RequiredTools lists the programs, in the order of the reference.
func RequiredTools() []Tool {
	return []Tool{
		{"az", []Need{AzureCLI}, "azure-cli", []string{"version", "--query", `"azure-cli"`, "-o", "tsv"}},
		{"gh", []Need{GitHubClone}, "gh", []string{"--version"}},
		{"git", []Need{LocalGit}, "git", []string{"--version"}},
		{"ssh", []Need{Connect}, "openssh-client", []string{"-V"}},
		{"tmux", []Need{Multiplexing}, "tmux", []string{"-V"}},
	}
}

// ErrMissing is the class of errors about programs that are not installed.
var ErrMissing = errors.New("a required program is missing")

// CheckTool reports whether a program is on the PATH.
func CheckTool(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// MissingTools lists all required programs that are not on the PATH.
func MissingTools() []string {
	var missing []string
	for _, t := range RequiredTools() {
		if !CheckTool(t.Name) {
			missing = append(missing, t.Name)
		}
	}
	return missing
}

// CheckAll returns an ErrMissing, of kind Prerequisite, that names every program that one of the needs requires and that is
// not installed. Without needs nothing is required.
func CheckAll(needs ...Need) error {
	var names, packages, why []string
	for _, t := range RequiredTools() {
		i := slices.IndexFunc(t.For, func(n Need) bool { return slices.Contains(needs, n) })
		if i < 0 || CheckTool(t.Name) {
			continue
		}
		names, packages = append(names, t.Name), append(packages, t.Package)
		why = append(why, fmt.Sprintf("%s to %s", t.Name, t.For[i]))
	}
	if names == nil {
		return nil
	}
	return &errkind.Error{
		Kind: errkind.Prerequisite, Op: "check this machine", Resource: strings.Join(names, ", "), Class: ErrMissing,
		Err:  fmt.Errorf("not installed: %s", strings.Join(why, "; ")),
		Next: errkind.Step{Action: errkind.Run, Command: "sudo apt install " + strings.Join(packages, " ")},
	}
}

const versionPatience = 10 * time.Second

// Version returns the first line of a program's version output.
func (t Tool) Version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionPatience)
	defer cancel()
	out, err := exec.CommandContext(ctx, t.Name, t.version...).CombinedOutput() // ssh prints it to standard error
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", t.Name, strings.Join(t.version, " "), err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line, nil
}
