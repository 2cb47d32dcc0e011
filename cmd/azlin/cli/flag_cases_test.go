package cli_test

import (
	"os/exec"
	"path/filepath"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/remote"
)

// prepare makes what the cases work on: a VM dev that runs, a VM off that is stopped, a VM foreign in group
// team that azlin did not create, a second key and a git repository.
func (p *person) prepare() {
	p.t.Helper()
	p.must("emulator", "start")
	p.must("new", "--name", "dev", "--yes", "--no-auto-connect")
	p.must("new", "--name", "off", "--yes", "--no-auto-connect")
	p.must("stop", "off")
	p.must("emulator", "seed", "--vms", "1", "--group", "team")
	p.disown("team", "vm-001")
	if _, err := remote.GenerateKeyPair(filepath.Join(p.home, "other"), "key"); err != nil {
		p.t.Fatal(err)
	}
	project := filepath.Join(p.home, "project")
	for _, args := range [][]string{
		{"init", "-q", "-b", "trunk", project},
		{"-C", project, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "first"},
		{"-C", project, "branch", "feature"},
	} {
		if out, err := exec.CommandContext(p.t.Context(), "git", args...).CombinedOutput(); err != nil {
			p.t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
}

// flagCases has one entry for each flag of the tree.
func flagCases() map[string]flagCase {
	const fresh = "new --name fresh --yes --no-auto-connect --progress none"
	show := words("show fresh -o json")
	restart := words("emulator stop")
	status := words("emulator status -o json --jq del(.hosts,.resources,.requests,.pid)")
	return map[string]flagCase{
		// Flags of every command.
		"azlin --context":        {without: words("show dev"), with: words("--context nosuch"), want: `there is no context "nosuch"`},
		"azlin --debug":          {without: words("show dev"), with: words("--debug"), want: `level=DEBUG.*GET`},
		"azlin --jq":             {without: words("show dev"), with: words("--jq .name"), want: `^exit code 0\ndev\n$`},
		"azlin --output":         {without: words("show dev"), with: words("--output json"), want: `"name": "dev"`},
		"azlin --progress":       {without: words("start dev"), with: words("--progress json"), want: `"phase":"completed"`},
		"azlin --query":          {without: words("show dev -o tsv"), with: words("--query name"), want: `^exit code 0\ndev\n$`},
		"azlin --resource-group": {without: words("list"), with: words("-g nosuch"), want: `nosuch`},

		"azlin auth permissions --lacking": {without: words("auth permissions list"), with: words("--lacking"), want: `no command lacks anything`},
		"azlin auth permissions --role":    {without: words("auth permissions list"), with: words("--role group"), want: `"IsCustom": true`},

		// What these remember is forgotten again: the other cases are the emulator's own principal.
		"azlin login --certificate": {
			without: words("login --service-principal --client-id " + emulator.ClientIDOf("certificate")), with: words("--certificate {home}/.azlin/emulator/principals/certificate.pem"),
			probe: words("logout"), want: `service principal with a certificate`,
		},
		"azlin login --client-id": {
			without: words("login --secret-file {home}/.azlin/emulator/principals/reader-secret"), with: words("--client-id 11111111-1111-1111-1111-111111111111"),
			probe: words("logout"), want: `AADSTS700016`,
		},
		"azlin login --device-code": {without: words("login"), with: words("--device-code"), probe: words("logout"), want: `developer@local`},
		"azlin login --federated-token-file": {
			without: words("login --service-principal --client-id " + emulator.ClientIDOf("federated")), with: words("--federated-token-file {home}/.azlin/emulator/principals/federated-token"),
			probe: words("logout"), want: `workload identity`,
		},
		"azlin login --managed-identity": {script: "login"},
		"azlin login --secret-file": {
			without: words("login --service-principal --client-id " + emulator.ClientIDOf("reader")), with: words("--secret-file {home}/.azlin/emulator/principals/reader-secret"),
			probe: words("logout"), want: `exit code 0`,
		},
		"azlin login --service-principal": {without: words("login"), with: words("--service-principal"), probe: words("logout"), want: `no terminal to ask on: give --secret-file`},
		"azlin login --tenant":            {without: words("login --device-code"), with: words("--tenant 11111111-1111-1111-1111-111111111111"), probe: words("logout"), want: `AADSTS90002`},

		"azlin new --admin-user": {
			without: words(fresh), with: words("--admin-user ann"), probe: show, want: `"admin_username": "ann"`,
		},
		"azlin new --branch": {
			without: words(fresh + " --repo file://{home}/project"), with: words("--branch feature"),
			probe: words("exec fresh -- git -C project branch --show-current"), want: `probe:\nfeature`,
		},
		"azlin new --data-disk":       {without: words(fresh), with: words("--data-disk 32 --data-disk 64"), probe: words("show fresh -o json --jq .disks|length"), want: `probe:\n3`},
		"azlin new --disk-size":       {without: words("new --name fresh --dry-run"), with: words("--disk-size 128"), want: `OS disk +128 GB`},
		"azlin new --identity":        {without: words("new --name fresh --dry-run"), with: words("--identity system"), want: `identity +system`},
		"azlin new --spot":            {without: words(fresh + " --size Standard_D2s_v5"), with: words("--spot"), probe: show, want: `"spot": true`},
		"azlin new --tag":             {without: words(fresh), with: words("--tag team=web"), probe: show, want: `"team": "web"`},
		"azlin new --dry-run":         {without: words(fresh), with: words("--dry-run"), probe: show, want: `\[notfound\]|"notfound"`},
		"azlin new --image":           {without: words("new --name fresh --dry-run"), with: words("--image Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest"), want: `jammy`},
		"azlin new --name":            {without: words("new --dry-run"), with: words("--name named"), want: `named`},
		"azlin new --region":          {without: words(fresh), with: words("--region eastus"), probe: show, want: `"location": "eastus"`},
		"azlin new --repo":            {without: words(fresh), with: words("--repo file://{home}/project"), probe: words("exec fresh -- ls"), want: `probe:\nproject`},
		"azlin new --size":            {without: words(fresh), with: words("--size Standard_D2s_v5"), probe: show, want: `"vm_size": "Standard_D2s_v5"`},
		"azlin new --ssh-key":         {without: words(fresh), with: words("--ssh-key {home}/other/key"), probe: words("exec fresh --key {home}/other/key -- echo let in"), want: `probe:\nlet in`},
		"azlin new --ssh-source":      {without: words("new --name fresh --dry-run"), with: words("--ssh-source 198.51.100.0/24"), want: `198\.51\.100\.0/24`},
		"azlin new --ssh-timeout":     {without: words(fresh), with: words("--ssh-timeout 1ns"), want: `exit code 5`},
		"azlin new --yes":             {without: words("new --name fresh --no-auto-connect"), with: words("--yes"), want: `name +fresh`},
		"azlin new --zone":            {without: words(fresh + " --size Standard_D2s_v5"), with: words("--zone 2"), probe: show, want: `"zones": \[\s+"2"`},
		"azlin new --no-auto-connect": {script: "progress"},

		"azlin list --all":     {without: words("list -g team"), with: words("--all"), want: `vm-001`},
		"azlin list --running": {without: words("list -o json"), with: words("--running --jq .vms[].name"), want: `^exit code 0\n(fresh\n)?dev\n`},

		"azlin sizes --all":     {without: words("sizes --cores 24"), with: words("--all"), want: `A100_v4.*NotAvailableForSubscription`},
		"azlin sizes --arch":    {without: words("sizes"), with: words("--arch arm64"), want: `^exit code 0\nNAME.*\n(Standard_\w+ .*Arm64.*\n)+(note|prices|$)`},
		"azlin sizes --cores":   {without: words("sizes -o json"), with: words("--cores 8 --jq .sizes|map(.vcpus)|min"), want: `^exit code 0\n8\n`},
		"azlin sizes --memory":  {without: words("sizes -o json"), with: words("--memory 100 --jq .sizes|map(.memory_gib)|min"), want: `^exit code 0\n1[0-9][0-9]\n`},
		"azlin sizes --region":  {without: words("sizes -o json --jq .region"), with: words("--region eastus"), want: `^exit code 0\neastus\n`},
		"azlin images --region": {without: words("images -o json --jq .region"), with: words("--region eastus"), want: `^exit code 0\neastus\n`},
		"azlin quota --all":     {without: words("quota"), with: words("--all"), want: `StandardDsv6Family`},
		"azlin quota --region":  {without: words("quota -o json --jq .region"), with: words("--region eastus"), want: `^exit code 0\neastus\n`},

		"azlin connect --accept-new-host-key": {as: "azlin exec --accept-new-host-key"},
		"azlin connect --forget-host-key":     {script: "hostkey"},
		"azlin connect --key":                 {script: "connect"},
		"azlin connect --no-tmux":             {script: "connect"},
		"azlin connect --user":                {script: "connect"},

		"azlin exec --accept-new-host-key": {script: "hostkey"},
		"azlin exec --key":                 {without: words("exec dev -- true"), with: words("--key {home}/other/key"), want: `accepts none of the offered keys`},
		"azlin exec --stdin":               {without: words("exec dev -- cat"), with: words("--stdin"), stdin: "spoken\n", want: `spoken`},
		"azlin exec --timeout":             {without: words("exec dev -- sleep 1"), with: words("--timeout 300ms"), want: `did not end within`},
		"azlin exec --user":                {without: words("exec dev -- true"), with: words("--user nobody-there"), want: `nobody-there`},

		"azlin start --no-wait":       {without: words("start off -o json"), with: words("--no-wait"), before: words("stop off"), want: `"after": null`},
		"azlin stop --no-wait":        {without: words("stop off -o json"), with: words("--no-wait"), before: words("start off"), want: `"after": null`},
		"azlin stop --keep-allocated": {without: words("stop off"), with: words("--keep-allocated"), before: words("start off"), probe: words("show off -o json --jq .power_state"), want: `probe:\nstopped\n`},
		"azlin restart --no-wait":     {without: words("restart dev -o json"), with: words("--no-wait"), want: `"after": null`},

		"azlin kill --dry-run": {without: words("kill fresh --yes"), with: words("--dry-run"), before: words(fresh), want: `would be deleted`},
		"azlin kill --foreign": {without: words("kill vm-001 -g team --dry-run"), with: words("--foreign"), want: `would be deleted`},
		"azlin kill --yes":     {without: words("kill nosuch"), with: words("--yes"), want: `exit code 0`},

		"azlin killall --dry-run":         {script: "destroy"},
		"azlin killall --yes":             {script: "destroy"},
		"azlin killall --confirm-context": {without: words("killall -g nosuch --yes"), with: words("--confirm-context other"), want: `the context is "emulator"`},
		"azlin destroy --dry-run":         {script: "destroy"},
		"azlin destroy --yes":             {script: "destroy"},
		"azlin destroy --confirm-context": {without: words("destroy nosuch --yes"), with: words("--confirm-context other"), want: `the context is "emulator"`},

		"azlin adopt --session": {script: "adopt"},

		"azlin kill --confirm-context": {without: words("kill nosuch --yes"), with: words("--confirm-context other"), want: `the context is "emulator"`},

		"azlin config show --origin": {without: words("config show"), with: words("--origin"), want: `ORIGIN`},

		"azlin context create --cloud":           contextCase("create", "--cloud usgovernment", `"cloud": "usgovernment"`),
		"azlin context create --description":     contextCase("create", "--description mine", `"description": "mine"`),
		"azlin context create --protected":       contextCase("create", "--protected", `"protected": true`),
		"azlin context create --read-only":       contextCase("create", "--read-only", `"read_only": true`),
		"azlin context create --region":          contextCase("create", "--region eastus", `"region": "eastus"`),
		"azlin context create --subscription":    contextCase("create", "--subscription "+someID, `"subscription_id": "`),
		"azlin context create --tenant":          contextCase("create", "--tenant "+someID, `"tenant_id": "`),
		"azlin context create --use":             {without: words("context create c"), with: words("--use"), want: `the current context is c`},
		"azlin context set --cloud":              contextCase("set", "--cloud usgovernment", `"cloud": "usgovernment"`),
		"azlin context set --description":        contextCase("set", "--description mine", `"description": "mine"`),
		"azlin context set --protected":          contextCase("set", "--protected", `"protected": true`),
		"azlin context set --read-only":          contextCase("set", "--read-only", `"read_only": true`),
		"azlin context set --region":             contextCase("set", "--region eastus", `"region": "eastus"`),
		"azlin context set --subscription":       contextCase("set", "--subscription "+someID, `"subscription_id": "`),
		"azlin context set --tenant":             contextCase("set", "--tenant "+someID, `"tenant_id": "`),
		"azlin context delete --yes":             {without: words("context delete c"), with: words("--yes"), before: words("context create c"), want: `exit code 0`},
		"azlin context delete --confirm-context": {without: words("context delete c --yes"), with: words("--confirm-context c"), before: words("context create c --protected"), want: `exit code 0`},

		"azlin history --limit": {script: "history"},
		"azlin session --clear": {without: words("session dev"), with: words("--clear"), before: words("session dev dev"), probe: words("show dev -o json --jq .session_name"), want: `probe:\nnull`},

		"azlin init --group":        {without: words("init"), with: words("--group g1"), before: words("config unset default_resource_group"), want: `g1`},
		"azlin init --name":         {without: words("init"), with: words("--name elsewhere"), want: `elsewhere`},
		"azlin init --region":       {without: words("init"), with: words("--region eastus"), before: words("config unset default_region"), want: `eastus`},
		"azlin init --size":         {without: words("init"), with: words("--size Standard_D2s_v5"), before: words("config unset default_vm_size"), want: `Standard_D2s_v5`},
		"azlin init --subscription": {without: words("init"), with: words("--subscription nosuch"), want: `nosuch`},

		"azlin emulator seed --group":  {without: words("emulator seed --vms 1"), with: words("--group other"), probe: words("list -g other --jq .vms[].name"), want: `probe:\nvm-001`},
		"azlin emulator seed --region": {without: words("emulator seed --vms 1 --group west"), with: words("--region eastus --group east"), probe: words("list -g east --jq .vms[].location"), want: `probe:\neastus`},
		"azlin emulator seed --vms":    {without: words("emulator seed --group many"), with: words("--vms 11"), probe: words("list -g many --jq .vms|length"), want: `probe:\n11`},

		"azlin emulator start --hosts":       {before: restart, without: words("emulator start"), with: words("--hosts none"), probe: words("emulator status"), want: `switched off`},
		"azlin emulator start --listen":      {before: restart, without: words("emulator start"), with: words("--listen 127.0.0.1:39871"), probe: status, want: `127\.0\.0\.1:39871`},
		"azlin emulator start --operator-ip": {before: restart, without: words("emulator start"), with: words("--operator-ip 203.0.113.77"), probe: status, want: `203\.0\.113\.77`},
		"azlin emulator start --realistic":   {before: restart, without: words("emulator start"), with: words("--realistic"), probe: status, want: `"realistic":true`},
		"azlin emulator start --ssh-port":    {before: restart, without: words("emulator start"), with: words("--ssh-port 2345"), probe: status, want: `"ssh_port":2345`},

		"azlin emulator serve --dir":         {as: "azlin emulator start --listen"}, // a start without it would find nobody
		"azlin emulator serve --hosts":       {as: "azlin emulator start --hosts"},
		"azlin emulator serve --listen":      {as: "azlin emulator start --listen"},
		"azlin emulator serve --operator-ip": {as: "azlin emulator start --operator-ip"},
		"azlin emulator serve --realistic":   {as: "azlin emulator start --realistic"},
		"azlin emulator serve --ssh-port":    {as: "azlin emulator start --ssh-port"},

		// Deletes everything that the other cases work on.
		"azlin emulator reset --yes": {script: "emulator"},
	}
}

// someID is a UUID that nothing has.
const someID = "00000000-1111-2222-3333-444444444444"

// contextCase creates or changes a context and looks at it.
func contextCase(verb, flag, want string) flagCase {
	c := flagCase{without: words("context " + verb + " c"), with: words(flag), before: words("context list"), probe: words("context show c -o json"), want: want}
	if verb == "set" {
		c.without = words("context set c -g g")
		c.before = words("context create c")
	}
	return c
}

// disown takes the sign that a VM is azlin's from it, as if somebody else had made it.
func (p *person) disown(group, name string) {
	p.t.Helper()
	status, err := emulator.Read(p.t.Context(), filepath.Join(p.home, ".azlin", "emulator"))
	if err != nil {
		p.t.Fatal(err)
	}
	cloud, err := azure.Custom("emulator", status.Endpoint, status.Endpoint, "", status.CAFile)
	if err != nil {
		p.t.Fatal(err)
	}
	auth, err := azure.NewAuthenticator(azure.AuthOptions{
		Cloud: cloud, TenantID: status.TenantID, SubscriptionID: status.SubscriptionID,
		ClientID: status.ClientID, ClientSecretFile: status.ClientSecretFile,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	credential, err := auth.Credential()
	if err != nil {
		p.t.Fatal(err)
	}
	door, err := azure.Open(azure.Options{Target: azure.Target{Cloud: cloud, SubscriptionID: status.SubscriptionID}, Credential: credential})
	if err != nil {
		p.t.Fatal(err)
	}
	id := azure.NewID(status.SubscriptionID, group, "Microsoft.Compute", "virtualMachines", name).String()
	if err := door.DeleteTags(p.t.Context(), id, azure.TagManagedBy); err != nil {
		p.t.Fatal(err)
	}
}
