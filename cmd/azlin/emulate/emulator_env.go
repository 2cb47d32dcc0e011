package emulate

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/remote"
)

func newEmulatorEnvCommand(a Commands) *cobra.Command {
	var az bool
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print shell variables to use the emulator with an SDK or az",
		Long: `Prints shell variables for eval. The secret itself is not printed; the shell reads it from its file.

AZLIN_EMULATOR_ENDPOINT is the address of Azure Resource Manager and of the sign-in service. SSL_CERT_FILE makes Go and
OpenSSL programs trust the emulator's certificate.

With --az, the output gives az a separate configuration directory, registers the emulator as a cloud and signs in;
~/.azure is not changed. The cloud uses the profile 2020-09-01-hybrid, the newest one with which az 2.45 of Debian 12 can
manage VMs.`,
		Example: `  eval "$(azlin emulator env)"
  eval "$(azlin emulator env --az)" && az vm list -d -o table`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.StartEmulator(cmd.Context(), nil)
			if err != nil {
				return err
			}
			if az {
				return a.printAz(s)
			}
			return a.printVariables([]emulatorVariable{
				{"AZLIN_EMULATOR_ENDPOINT", s.Endpoint, remote.Quote(s.Endpoint)},
				{"AZURE_AUTHORITY_HOST", s.Endpoint, remote.Quote(s.Endpoint)},
				{"AZURE_TENANT_ID", s.TenantID, remote.Quote(s.TenantID)},
				{"AZURE_CLIENT_ID", s.ClientID, remote.Quote(s.ClientID)},
				{"AZURE_CLIENT_SECRET", "", `"$(cat ` + remote.Quote(s.ClientSecretFile) + `)"`},
				{"AZURE_SUBSCRIPTION_ID", s.SubscriptionID, remote.Quote(s.SubscriptionID)},
				{"SSL_CERT_FILE", s.CAFile, remote.Quote(s.CAFile)},
				{"REQUESTS_CA_BUNDLE", s.CAFile, remote.Quote(s.CAFile)},
			}, map[string]string{"AZURE_CLIENT_SECRET_FILE": s.ClientSecretFile})
		},
	}
	cmd.Flags().BoolVar(&az, "az", false, "print the setup for the Azure CLI")
	return cmd
}

// emulatorVariable is one variable of `emulator env`, plain and as a shell reads it.
type emulatorVariable struct{ name, value, shell string }

// printVariables prints variables as a shell reads them, or as data together with more.
func (a Commands) printVariables(vars []emulatorVariable, more map[string]string) error {
	if a.Output.Structured() {
		for _, v := range vars {
			if v.value != "" {
				more[v.name] = v.value
			}
		}
		return a.Output.Print(term.View{Data: more})
	}
	for _, v := range vars {
		if _, err := fmt.Fprintf(a.Streams.Out, "export %s=%s\n", v.name, v.shell); err != nil {
			return err
		}
	}
	return nil
}

// printAz prints what makes a shell's az talk to the emulator.
func (a Commands) printAz(s emulator.Status) error {
	at, err := url.Parse(s.Endpoint)
	if err != nil {
		return err
	}
	dir := filepath.Join(a.Paths.Emulator, "az")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// A cloud cannot be described anew under its name: each address has a name of its own.
	name, file := "emulator-"+at.Port(), filepath.Join(dir, "cloud-"+at.Port()+".json")
	description, err := json.MarshalIndent(azCloud(s.Endpoint), "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.Write(file, append(description, '\n'), 0o600); err != nil {
		return err
	}
	vars := []emulatorVariable{
		{"AZURE_CONFIG_DIR", dir, remote.Quote(dir)},
		{"AZURE_CORE_COLLECT_TELEMETRY", "false", "false"},
		{"AZURE_CORE_SURVEY_MESSAGE", "false", "false"},
		{"REQUESTS_CA_BUNDLE", s.CAFile, remote.Quote(s.CAFile)},
		{"SSL_CERT_FILE", s.CAFile, remote.Quote(s.CAFile)},
		{"NO_PROXY", "127.0.0.1,localhost", "127.0.0.1,localhost"},
		{"no_proxy", "127.0.0.1,localhost", "127.0.0.1,localhost"},
	}
	if err := a.printVariables(vars, map[string]string{"cloud": name, "cloud_config": file}); err != nil || a.Output.Structured() {
		return err
	}
	_, err = fmt.Fprint(a.Streams.Out, strings.Join([]string{
		"unset AZURE_CLOUD_NAME",
		"az cloud show -n " + name + " -o none 2>/dev/null || az cloud register -n " + name + " --cloud-config @" + remote.Quote(file),
		"az cloud set -n " + name + " 2>/dev/null",
		// az reads the secret from its file: no process shows it among its arguments.
		"az account show -o none 2>/dev/null || az login --service-principal -u " + s.ClientID + " -p @" + remote.Quote(s.ClientSecretFile) + " --tenant " + s.TenantID + " -o none",
	}, "\n")+"\n")
	return err
}

// azCloud describes the emulator as a cloud of az. The authority ends in /adfs because az then asks nobody
// else whether it can be trusted.
func azCloud(endpoint string) map[string]any {
	return map[string]any{
		"profile": "2020-09-01-hybrid",
		"endpoints": map[string]string{
			"resourceManager": endpoint, "management": endpoint, "gallery": endpoint, "activeDirectory": endpoint + "/adfs",
			"activeDirectoryResourceId": endpoint + "/", "activeDirectoryGraphResourceId": endpoint + "/graph",
			"microsoftGraphResourceId": endpoint + "/graph", "vmImageAliasDoc": endpoint + "/aliases.json",
		},
		"suffixes": map[string]string{
			"storageEndpoint": "core.local", "keyvaultDns": ".vault.local", "acrLoginServerEndpoint": ".azurecr.local", "sqlServerHostname": ".database.local",
		},
	}
}
