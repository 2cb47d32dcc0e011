package config

import (
	"slices"
	"strings"
)

// Inherited selects the variables from environ that another azlin process of the same user needs to use the same files,
// sign-in, agent and programs. Variables of the terminal are left out.
func Inherited(environ []string) []string {
	names := []string{
		"HOME", "USERPROFILE", "USER", "USERNAME", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "IDENTITY_ENDPOINT", "IDENTITY_HEADER",
		"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "NO_COLOR",
	}
	var picked []string
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "AZLIN_") || strings.HasPrefix(name, "AZURE_") || slices.Contains(names, name) {
			picked = append(picked, v)
		}
	}
	return picked
}
