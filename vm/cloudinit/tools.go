package cloudinit

import (
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// Tool is a development tool to install on a new VM. All come from Ubuntu 24.04's archive, which has the same packages for
// amd64 and arm64, or from PyPI through pipx, which has wheels for both.
type Tool struct {
	Name     string   // its name in lists of tools
	Title    string   // its name in texts
	About    string   // a short description
	Packages []string // of Ubuntu's archive
	Setup    string   // shell commands to run after the packages; $user is the login user; empty: none
	PyPI     string   // package to install with pipx; empty: none
	Update   string   // shell commands that update an installed tool; empty: update its packages
	Version  string   // shell command that prints its version in the first line that has a number
}

// Tools lists the tools azlin can install, in the order of installation: the most needed and quickest first.
func Tools() []Tool {
	return []Tool{
		{Name: "git", Title: "git", About: "version control", Packages: []string{"git"}, Version: "git --version"},
		{Name: "tmux", Title: "tmux", About: "sessions that outlive a connection", Packages: []string{"tmux"}, Version: "tmux -V"},
		{Name: "ripgrep", Title: "ripgrep", About: "search in files", Packages: []string{"ripgrep"}, Version: "rg --version"},
		{
			Name: "python", Title: "Python", About: "Python 3 with venv, pip and pipx",
			Packages: []string{"python3", "python3-venv", "python3-pip", "pipx"}, Version: "python3 --version",
		},
		{
			Name: "uv", Title: "uv", About: "Python projects and packages",
			Packages: []string{"pipx"}, Setup: "from_pypi uv", PyPI: "uv", Update: "newer_from_pypi uv", Version: "uv --version",
		},
		{Name: "gh", Title: "GitHub CLI", About: "GitHub from the command line", Packages: []string{"gh"}, Version: "gh --version"},
		{Name: "go", Title: "Go", About: "the Go toolchain", Packages: []string{"golang-go"}, Version: "go version"},
		{Name: "nodejs", Title: "Node.js", About: "Node.js with npm", Packages: []string{"nodejs", "npm"}, Version: "node --version"},
		{
			Name: "docker", Title: "Docker", About: "containers, with buildx and compose; the login user may use it",
			Packages: []string{"docker.io", "docker-buildx", "docker-compose-v2"},
			Setup:    `usermod --append --groups docker "$user"`, Version: "docker --version",
		},
		{
			Name: "az", Title: "Azure CLI", About: "Azure from the command line",
			Packages: []string{"pipx"}, Setup: "from_pypi azure-cli", PyPI: "azure-cli", Update: "newer_from_pypi azure-cli", Version: "az --version",
		},
		{
			Name: "dotnet", Title: ".NET", About: "the .NET 8 SDK", Packages: []string{"dotnet-sdk-8.0"},
			Version: "DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 dotnet --version",
		},
		{
			Name: "rust", Title: "Rust", About: "the stable toolchain by rustup, with a linker",
			Packages: []string{"rustup", "gcc", "libc6-dev"}, Setup: "as_user rustup default stable",
			Update: "newer_packages rustup && as_user rustup update stable", Version: "as_user rustc --version",
		},
	}
}

// ToolNames lists the names of Tools in their order.
func ToolNames() []string {
	return names(Tools())
}

// SelectTools returns the named tools, in the order of Tools. nil means all, an empty list none. An unknown name is Invalid.
func SelectTools(names []string) ([]Tool, error) {
	all := Tools()
	if names == nil {
		return all, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(t Tool) bool { return t.Name == name }) {
			return nil, errkind.New(errkind.Invalid, "there is no tool %q; there are %s", name, strings.Join(ToolNames(), ", "))
		}
	}
	return slices.DeleteFunc(all, func(t Tool) bool { return !slices.Contains(names, t.Name) }), nil
}
