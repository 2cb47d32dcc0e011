package config

import (
	"os"
	"strings"
)

// Environment is what azlin reads from environment variables. docs/environment.md describes them; no other package reads the
// environment.
type Environment struct {
	ConfigDir        string // AZLIN_CONFIG_DIR
	Context          string // AZLIN_CONTEXT
	ResourceGroup    string // AZLIN_RESOURCE_GROUP
	SubscriptionID   string // AZURE_SUBSCRIPTION_ID
	TenantID         string // AZURE_TENANT_ID
	ClientID         string // AZURE_CLIENT_ID
	ClientSecret     string // AZURE_CLIENT_SECRET
	Certificate      string // AZURE_CLIENT_CERTIFICATE_PATH: PEM or PKCS #12, with its key
	CertificatePass  string // AZURE_CLIENT_CERTIFICATE_PASSWORD
	FederatedToken   string // AZURE_FEDERATED_TOKEN_FILE
	IdentityEndpoint string // IDENTITY_ENDPOINT, if IDENTITY_HEADER is also set; the SDK reads both
	CAFile           string // AZLIN_CA_FILE: PEM certificates to trust in addition to the system's
	AzureConfigDir   string // AZURE_CONFIG_DIR: where the Azure CLI keeps its profile
	Home             string // HOME (USERPROFILE on Windows)
	User             string // USER (USERNAME on Windows)
	Term             string // TERM
	Locale           string // LC_ALL, LC_CTYPE or LANG
	Pager            string // AZLIN_PAGER, PAGER, or less; empty: none
	NoColor          bool   // NO_COLOR is set to anything
	SSHAuthSock      string // SSH_AUTH_SOCK
	CI               bool   // CI is set to anything but "false"
	OperatorHostname string // HOSTNAME, only to record who created a VM
	Display          string // DISPLAY or WAYLAND_DISPLAY: a desktop session on Linux
	Editor           string // VISUAL, EDITOR: for 'azlin config edit'
	Shell            string // SHELL (COMSPEC on Windows): for 'azlin context shell'

	Terminal TerminalEnvironment
}

// TerminalEnvironment holds the variables that terminals set for their programs. Empty: not that terminal.
type TerminalEnvironment struct {
	Program     string // TERM_PROGRAM: iTerm.app, Apple_Terminal, WezTerm and others
	Tmux        string // TMUX
	Kitty       string // KITTY_WINDOW_ID
	KittyListen string // KITTY_LISTEN_ON: address for remote control of kitty
	WezTerm     string // WEZTERM_PANE
	Alacritty   string // ALACRITTY_WINDOW_ID
	Konsole     string // KONSOLE_VERSION
	GNOME       string // GNOME_TERMINAL_SCREEN
	XTerm       string // XTERM_VERSION
	Windows     string // WT_SESSION
	WSL         string // WSL_DISTRO_NAME: the distribution that runs under Windows
}

// Environ returns the environment of this process in the form ReadEnvironment takes.
func Environ() []string { return os.Environ() }

// ReadEnvironment reads azlin's variables from "KEY=value" strings. The last of a repeated key wins.
func ReadEnvironment(environ []string) Environment {
	vars := make(map[string]string, len(environ))
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok {
			vars[k] = v
		}
	}
	first := func(names ...string) string {
		for _, n := range names {
			if vars[n] != "" {
				return vars[n]
			}
		}
		return ""
	}
	_, noColor := vars["NO_COLOR"]
	pager, chosen := vars["AZLIN_PAGER"]
	if !chosen {
		pager, chosen = vars["PAGER"]
	}
	if !chosen {
		pager = "less"
	}
	identity := ""
	if vars["IDENTITY_HEADER"] != "" {
		identity = vars["IDENTITY_ENDPOINT"]
	}
	return Environment{
		Display:          first("DISPLAY", "WAYLAND_DISPLAY"),
		ConfigDir:        vars["AZLIN_CONFIG_DIR"],
		Context:          vars["AZLIN_CONTEXT"],
		ResourceGroup:    vars["AZLIN_RESOURCE_GROUP"],
		SubscriptionID:   vars["AZURE_SUBSCRIPTION_ID"],
		TenantID:         vars["AZURE_TENANT_ID"],
		ClientID:         vars["AZURE_CLIENT_ID"],
		ClientSecret:     vars["AZURE_CLIENT_SECRET"],
		Certificate:      vars["AZURE_CLIENT_CERTIFICATE_PATH"],
		CertificatePass:  vars["AZURE_CLIENT_CERTIFICATE_PASSWORD"],
		FederatedToken:   vars["AZURE_FEDERATED_TOKEN_FILE"],
		IdentityEndpoint: identity,
		CAFile:           vars["AZLIN_CA_FILE"],
		AzureConfigDir:   vars["AZURE_CONFIG_DIR"],
		Home:             first("HOME", "USERPROFILE"),
		User:             first("USER", "USERNAME", "LOGNAME"),
		Term:             vars["TERM"],
		NoColor:          noColor,
		Pager:            pager,
		Locale:           first("LC_ALL", "LC_CTYPE", "LANG"),
		SSHAuthSock:      vars["SSH_AUTH_SOCK"],
		CI:               vars["CI"] != "" && vars["CI"] != "false",
		OperatorHostname: vars["HOSTNAME"],
		Editor:           first("VISUAL", "EDITOR"),
		Shell:            first("SHELL", "COMSPEC"),
		Terminal: TerminalEnvironment{
			Program: vars["TERM_PROGRAM"], Tmux: vars["TMUX"], Kitty: vars["KITTY_WINDOW_ID"], KittyListen: vars["KITTY_LISTEN_ON"],
			WezTerm: vars["WEZTERM_PANE"], Alacritty: vars["ALACRITTY_WINDOW_ID"], Konsole: vars["KONSOLE_VERSION"],
			GNOME: vars["GNOME_TERMINAL_SCREEN"], XTerm: vars["XTERM_VERSION"], Windows: vars["WT_SESSION"], WSL: vars["WSL_DISTRO_NAME"],
		},
	}
}

// ASCII reports whether the locale supports only ASCII. An unset locale is not treated as ASCII.
func (e Environment) ASCII() bool {
	name := strings.ToLower(e.Locale)
	return name != "" && !strings.Contains(name, "utf-8") && !strings.Contains(name, "utf8")
}
