package config

import (
	"slices"
	"strings"
)

// Inherited picks from environ what another azlin of the same person needs to find what this one finds: its files, the
// sign-in, the agent and the programs. What belongs to a terminal is not among it.
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
