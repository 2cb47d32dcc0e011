package cli_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

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
	for name, content := range map[string]string{
		"setup.sh": "id -un > /var/tmp/startup\n", "bad.sh": "exit 3\n",
		"extra.yaml": "#cloud-config\nwrite_files:\n  - {path: /etc/extra, content: from the operator}\n",
	} {
		if err := os.WriteFile(filepath.Join(p.home, name), []byte(content), 0o600); err != nil {
			p.t.Fatal(err)
		}
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

// unused is an address that nobody listens at: the kernel chooses it.
func unused() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // without loopback no test works
	}
	defer func() { _ = l.Close() }() // nobody has come
	return l.Addr().String()
}

// flagCases has one entry for each flag of the tree.
func flagCases() map[string]flagCase {
	const fresh = "new --name fresh --yes --no-auto-connect --progress none"
	listen := unused()
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
		"azlin new --bicep":           {without: words("new --name fresh --dry-run"), with: words("--bicep"), want: `resource fresh 'Microsoft`},
		"azlin new --pool":            {without: words("new --name many --dry-run"), with: words("--pool 3"), want: `many-01 to many-03`},
		"azlin new --private":         {without: words("new --name fresh --dry-run"), with: words("--private"), want: `no Bastion reaches`},
		"azlin new --public":          {script: "private"},
		"azlin new --nat-gateway":     {script: "private"},
		"azlin new --vnet":            {without: words("new --name fresh --dry-run"), with: words("--vnet nosuch"), want: `nosuch.*notfound`},
		"azlin new --subnet":          {without: words("new --name fresh --vnet azlin-vnet-westus2 --dry-run"), with: words("--subnet nosuch"), want: `no subnet of that name`},
		"azlin new --fallback":        {without: words("new --name fresh --size Standard_NC24ads_A100_v4 --dry-run"), with: words("--fallback"), want: `in place of Standard_NC24ads_A100_v4`},
		"azlin new --max-price":       {without: words("new --name fresh --dry-run"), with: words("--max-price 0.01"), want: `more than the 0\.01 USD that you allow`},
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
		"azlin new --cloud-init":      {without: words(fresh), with: words("--cloud-init {home}/extra.yaml"), probe: words("exec fresh -- cat /etc/extra"), want: `probe:\nfrom the operator`},
		"azlin new --startup-script": {
			without: words(fresh + " --tools git --wait tools"), with: words("--startup-script {home}/setup.sh"), probe: words("exec fresh -- cat /var/tmp/startup"), want: `probe:\nroot`,
		},
		"azlin new --tools": {without: words(fresh + " --wait tools"), with: words("--tools go"), probe: words("logs fresh --source tools"), want: `OUTPUT\ngo +done.*\nthe installation is done`},
		"azlin new --wait":  {without: words(fresh + " --tools none --startup-script {home}/bad.sh"), with: words("--wait tools"), want: `exit code 9`},

		"azlin logs --accept-new-host-key": {as: "azlin exec --accept-new-host-key"},
		"azlin logs --follow":              {script: "logs"},
		"azlin logs --key":                 {as: "azlin exec --key"},
		"azlin logs --lines":               {without: words("logs dev --source serial"), with: words("--lines 1"), want: `^exit code 0\n[^\n]+\n$`},
		"azlin logs --since":               {without: words("logs dev --source auth"), with: words("--since 1ns"), want: `^exit code 0\n$`},
		"azlin logs --source":              {without: words("logs dev"), with: words("--source auth"), want: `Accepted publickey for azureuser`},
		"azlin logs --user":                {as: "azlin exec --user"},

		"azlin list --all":     {without: words("list -g team"), with: words("--all"), want: `vm-001`},
		"azlin list --running": {without: words("list -o json"), with: words("--running --jq .vms[].name"), want: `^exit code 0\n(fresh\n)?dev\n`},

		"azlin template create --description":    {without: words("template create t --replace"), with: words("--description mine"), probe: words("template show t -o json"), want: `"description": "mine"`},
		"azlin template create --size":           {without: words("template create t --replace"), with: words("--size Standard_D4s_v5"), probe: words("template show t -o json"), want: `"vm_size": "Standard_D4s_v5"`},
		"azlin template create --region":         {without: words("template create t --replace"), with: words("--region eastus"), probe: words("template show t -o json"), want: `"region": "eastus"`},
		"azlin template create --zone":           {without: words("template create t --replace"), with: words("--zone 2"), probe: words("template show t -o json"), want: `"zone": "2"`},
		"azlin template create --image":          {without: words("template create t --replace"), with: words("--image UbuntuLTS"), probe: words("template show t -o json"), want: `"image": "UbuntuLTS"`},
		"azlin template create --admin-user":     {without: words("template create t --replace"), with: words("--admin-user dev"), probe: words("template show t -o json"), want: `"admin_username": "dev"`},
		"azlin template create --tools":          {without: words("template create t --replace"), with: words("--tools go"), probe: words("template show t -o json"), want: `"install_tools": \[\n +"go"`},
		"azlin template create --startup-script": {without: words("template create t --replace"), with: words("--startup-script {home}/bad.sh"), probe: words("template show t -o json"), want: `"startup_script": "exit 3`},
		"azlin template create --tag":            {without: words("template create t --replace"), with: words("--tag a=b"), probe: words("template show t -o json"), want: `"a": "b"`},
		"azlin template create --disk-size":      {without: words("template create t --replace"), with: words("--disk-size 64"), probe: words("template show t -o json"), want: `"os_disk_gb": 64`},
		"azlin template create --data-disk":      {without: words("template create t --replace"), with: words("--data-disk 8"), probe: words("template show t -o json"), want: `"data_disks_gb": \[\n +8`},
		"azlin template create --spot":           {without: words("template create t --replace"), with: words("--spot "), probe: words("template show t -o json"), want: `"spot": true`},
		"azlin template create --identity":       {without: words("template create t --replace"), with: words("--identity system"), probe: words("template show t -o json"), want: `"identity": "system"`},
		"azlin template create --private":        {without: words("template create t --replace"), with: words("--private "), probe: words("template show t -o json"), want: `"private": true`},
		"azlin template create --public":         {without: words("template create t --replace"), with: words("--public "), probe: words("template show t -o json"), want: `"public": true`},
		"azlin template create --nat-gateway":    {without: words("template create t --replace"), with: words("--nat-gateway "), probe: words("template show t -o json"), want: `"nat_gateway": true`},
		"azlin template create --repo":           {without: words("template create t --replace"), with: words("--repo https://github.com/you/x"), probe: words("template show t -o json"), want: `"repo": "https://github.com/you/x"`},
		"azlin template create --branch":         {without: words("template create t --replace --repo https://github.com/you/x"), with: words("--branch b"), probe: words("template show t -o json"), want: `"branch": "b"`},
		"azlin template create --from-vm":        {without: words("template create t --replace"), with: words("--from-vm dev"), probe: words("template show t -o json"), want: `"vm_size": "Standard_`},
		"azlin template create --cloud-init":     {without: words("template create t --replace"), with: words("--cloud-init {home}/bad.sh"), want: `cloud_init: .*first line must be`},
		"azlin template create --replace":        {before: words("template create t --replace"), without: words("template create t"), with: words("--replace"), want: `exit code 0`},
		"azlin template delete --yes":            {before: words("template create t --replace"), without: words("template delete t"), with: words("--yes"), want: `exit code 0`},
		"azlin template import --name":           {script: "template"},
		"azlin template import --replace":        {script: "template"},
		"azlin new --template":                   {before: words("template create t --replace --size Standard_D4s_v5"), without: words("new --name planned --dry-run"), with: words("--template t"), want: `size +Standard_D4s_v5`},

		"azlin cleanup --delete":          {script: "cleanup"},
		"azlin cleanup --dry-run":         {script: "cleanup"},
		"azlin cleanup --all":             {script: "cleanup"},
		"azlin cleanup --older-than":      {script: "cleanup"},
		"azlin cleanup --yes":             {without: words("cleanup --delete -g nosuch"), with: words("--yes"), want: `notfound`},
		"azlin cleanup --confirm-context": {without: words("cleanup --delete -g nosuch --yes"), with: words("--confirm-context other"), want: `the context is "emulator"`},

		"azlin keys list --all":                   {without: words("keys list -g team"), with: words("--all"), want: `vm-001`},
		"azlin keys list --backups":               {without: words("keys list"), with: words("--backups"), want: `no copies|backup-2`},
		"azlin keys list --timeout":               {without: words("keys list dev"), with: words("--timeout 1ns"), want: `was not done within 1ns`},
		"azlin keys list --user":                  {without: words("keys list dev"), with: words("--user nobody-there"), want: `none of the offered keys`},
		"azlin keys list --key":                   {without: words("keys list dev"), with: words("--key {home}/other/key"), want: `none of the offered keys`},
		"azlin keys list --bastion":               {without: words("keys list dev"), with: words("--bastion=nosuch"), want: `no bastion has this name`},
		"azlin keys list --accept-new-host-key":   {as: "azlin exec --accept-new-host-key"},
		"azlin keys rotate --accept-new-host-key": {as: "azlin exec --accept-new-host-key"},
		"azlin keys rotate --all":                 {without: words("keys rotate --dry-run"), with: words("--all"), want: `dev .*replace`},
		"azlin keys rotate --bastion":             {without: words("keys rotate dev --dry-run"), with: words("--bastion=nosuch"), want: `no bastion has this name`},
		"azlin keys rotate --confirm-context":     {without: words("keys rotate nosuch --yes"), with: words("--confirm-context other"), want: `the context is "emulator"`},
		"azlin keys rotate --dry-run":             {script: "keys"},
		"azlin keys rotate --new-key":             {without: words("keys rotate dev --dry-run"), with: words("--new-key {home}/other/key"), want: `new key .*/other/key\)`},
		"azlin keys rotate --no-backup":           {script: "keys"},
		"azlin keys rotate --old-key":             {without: words("keys rotate dev --dry-run"), with: words("--old-key {home}/other/key"), want: `old key .*/other/key\)`},
		"azlin keys rotate --timeout":             {without: words("keys rotate dev --dry-run"), with: words("--timeout 1ns"), want: `was not done within 1ns`},
		"azlin keys rotate --user":                {without: words("keys rotate dev --dry-run"), with: words("--user nobody-there"), want: `lets in as nobody-there`},
		"azlin keys rotate --via-azure":           {script: "keys"},
		"azlin keys rotate --yes":                 {without: words("keys rotate nosuch"), with: words("--yes"), want: `notfound`},
		"azlin keys export --key":                 {without: words("keys export -o json --jq .path"), with: words("--key {home}/other/key"), want: `/other/key\n`},
		"azlin keys restore --yes":                {without: words("keys restore nosuch"), with: words("--yes"), want: `notfound`},
		"azlin keys restore --dry-run":            {without: words("keys restore nosuch"), with: words("--dry-run"), want: `notfound`},

		"azlin status --all":      {without: words("status -g team"), with: words("--all"), want: `vm-001`},
		"azlin status --running":  {without: words("status -o json --jq .vms|map(.power_state)|unique|length"), with: words("--running"), before: words("stop off"), want: `^exit code 0\n1\n`},
		"azlin status --watch":    {script: "status"},
		"azlin status --interval": {without: words("status dev"), with: words("--interval 1s"), want: `--interval needs --watch`},
		"azlin status --timeout":  {without: words("status dev -o json --jq .vms[].error"), with: words("--timeout 1ms"), want: `did not answer within`},
		"azlin status --user":     {without: words("status dev -o json --jq .vms[].error"), with: words("--user nobody-there"), want: `nobody-there`},
		"azlin status --key":      {without: words("status dev -o json --jq .vms[].error"), with: words("--key {home}/other/key"), want: `accepts none of the offered keys`},

		"azlin update --all":                    {without: words("update"), with: words("--all --tools git -o json --jq .total"), want: `^exit code 0\n[1-9]`},
		"azlin update --tools":                  {without: words("update dev -o json --jq .results[0].tools|length"), with: words("--tools git"), want: `^exit code 0\n1\n`},
		"azlin update --timeout":                {without: words("update dev --tools git"), with: words("--timeout 1ns"), want: `it has not ended within 1ns`},
		"azlin update --user":                   {without: words("update dev --tools git"), with: words("--user nobody-there"), want: `nobody-there`},
		"azlin update --key":                    {without: words("update dev --tools git"), with: words("--key {home}/other/key"), want: `accepts none of the offered keys`},
		"azlin update --bastion":                {as: "azlin exec --bastion"},
		"azlin update --accept-new-host-key":    {as: "azlin exec --accept-new-host-key"},
		"azlin os-update --all":                 {without: words("os-update"), with: words("--all -o json --jq .total"), want: `^exit code 0\n[1-9]`},
		"azlin os-update --timeout":             {without: words("os-update dev"), with: words("--timeout 1ns"), want: `it has not ended within 1ns`},
		"azlin os-update --user":                {without: words("os-update dev"), with: words("--user nobody-there"), want: `nobody-there`},
		"azlin os-update --key":                 {without: words("os-update dev"), with: words("--key {home}/other/key"), want: `accepts none of the offered keys`},
		"azlin os-update --bastion":             {as: "azlin exec --bastion"},
		"azlin os-update --accept-new-host-key": {as: "azlin exec --accept-new-host-key"},

		"azlin prune --dry-run":          {script: "prune"},
		"azlin prune --idle":             {without: words("prune --dry-run"), with: words("--idle soon"), want: `give a time of a minute or more`},
		"azlin prune --timeout":          {without: words("prune --dry-run -o json --jq .vms[].basis"), with: words("--timeout 1ms"), want: `did not answer within`},
		"azlin prune --yes":              {script: "prune"},
		"azlin prune --confirm-context":  {without: words("prune --yes -g team"), with: words("--confirm-context other"), want: `the context is`},
		"azlin resize --dry-run":         {without: words("resize dev Standard_B2s --yes"), with: words("--dry-run"), want: `MONTH AFTER`},
		"azlin resize --yes":             {without: words("resize dev Standard_B2s"), with: words("--yes"), want: `was already`},
		"azlin resize --confirm-context": {without: words("resize dev Standard_B2s --yes"), with: words("--confirm-context other"), want: `the context is`},

		"azlin why --since":               {script: "why"},
		"azlin why --lines":               {without: words("why dev -o json --jq .serial|length"), with: words("--lines 1"), want: `^exit code 0\n1\n`},
		"azlin why --timeout":             {without: words("why dev -o json --jq .ssh"), with: words("--timeout 1ns"), want: `^exit code 0\nfalse\n`},
		"azlin why --user":                {without: words("why dev -o json --jq .ssh_error"), with: words("--user nobody-there"), want: `nobody-there`},
		"azlin why --key":                 {without: words("why dev -o json --jq .ssh_error"), with: words("--key {home}/other/key"), want: `accepts none of the offered keys`},
		"azlin why --bastion":             {without: words("why dev -o json --jq .ssh_error"), with: words("--bastion"), want: `no Bastion reaches its network`},
		"azlin why --accept-new-host-key": {as: "azlin exec --accept-new-host-key"},

		"azlin image bake --abandon":           {script: "image"},
		"azlin image bake --dry-run":           {without: words("image bake dev"), with: words("--dry-run"), want: `^exit code 0\nIMAGE`},
		"azlin image bake --name":              {without: words("image bake dev --dry-run"), with: words("--name special"), want: `special`},
		"azlin image bake --size":              {without: words("image bake dev --dry-run"), with: words("--size Standard_D4s_v5"), want: `Standard_D4s_v5`},
		"azlin image bake --yes":               {script: "image"},
		"azlin image bake --confirm-context":   {without: words("image bake nosuch --yes"), with: words("--confirm-context other"), want: `the context is`},
		"azlin image delete --dry-run":         {script: "image"},
		"azlin image delete --yes":             {script: "image"},
		"azlin image delete --confirm-context": {without: words("image delete nosuch --yes"), with: words("--confirm-context other"), want: `the context is`},
		"azlin clone --dry-run":                {without: words("clone dev"), with: words("--dry-run"), want: `^exit code 0\nCLONE`},
		"azlin clone --name":                   {without: words("clone dev --dry-run"), with: words("--name special"), want: `special`},
		"azlin clone --replicas":               {without: words("clone dev --dry-run -o json --jq .names|length"), with: words("--replicas 3"), want: `^exit code 0\n3\n`},
		"azlin clone --user":                   {script: "clone"},
		"azlin clone --key":                    {script: "clone"},
		"azlin clone --ssh-timeout":            {script: "clone"},
		"azlin clone --yes":                    {script: "clone"},
		"azlin clone --confirm-context":        {without: words("clone nosuch --yes"), with: words("--confirm-context other"), want: `the context is`},

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
		"azlin connect --new-window":          {script: "restore"},
		"azlin connect --new-tab":             {script: "restore"},
		"azlin restore --attached":            {script: "restore"},
		"azlin restore --dry-run":             {script: "restore"},
		"azlin restore --tabs":                {script: "restore"},
		"azlin restore --yes":                 {script: "restore"},
		"azlin restore --timeout":             {without: words("restore dev --dry-run -o json --jq .sessions[].reason"), with: words("--timeout 1ms"), want: `did not answer within`},
		"azlin restore --user":                {without: words("restore dev --dry-run -o json --jq .sessions[].reason"), with: words("--user nobody-there"), want: `nobody-there`},
		"azlin restore --key":                 {without: words("restore dev --dry-run -o json --jq .sessions[].reason"), with: words("--key {home}/other/key"), want: `accepts none of the offered keys`},
		"azlin connect --no-tmux":             {script: "connect"},
		"azlin connect --user":                {script: "connect"},
		"azlin connect --local-forward":       {script: "reconnect"},
		"azlin connect --remote-forward":      {script: "reconnect"},
		"azlin connect --dynamic-forward":     {script: "reconnect"},
		"azlin connect --forward-agent":       {script: "reconnect"},
		"azlin connect --no-reconnect":        {script: "reconnect"},
		"azlin connect --max-attempts":        {script: "reconnect"},
		"azlin connect --yes":                 {script: "reconnect"},
		"azlin ssh-config --dry-run":          {script: "ssh_config"},
		"azlin ssh-config --remove":           {script: "ssh_config"},
		"azlin ssh-config --yes":              {script: "ssh_config"},
		"azlin ssh-config --proxy":            {script: "ssh_config"},

		"azlin exec --accept-new-host-key": {script: "hostkey"},
		"azlin exec --key":                 {without: words("exec dev -- true"), with: words("--key {home}/other/key"), want: `accepts none of the offered keys`},
		"azlin exec --stdin":               {without: words("exec dev -- cat"), with: words("--stdin"), stdin: "spoken\n", want: `spoken`},
		"azlin exec --timeout":             {without: words("exec dev -- sleep 1"), with: words("--timeout 300ms"), want: `did not end within`},
		"azlin exec --user":                {without: words("exec dev -- true"), with: words("--user nobody-there"), want: `nobody-there`},

		"azlin exec --bastion":    {without: words("exec dev -- true"), with: words("--bastion"), want: `no Bastion reaches its network`},
		"azlin connect --bastion": {as: "azlin exec --bastion"},
		"azlin logs --bastion":    {as: "azlin exec --bastion"},
		"azlin proxy --bastion":   {without: words("proxy dev"), with: words("--bastion"), want: `no Bastion reaches its network`},

		"azlin bastion create --vnet":             {without: words("bastion create --dry-run"), with: words("--vnet nosuch"), want: `nosuch`},
		"azlin bastion create --name":             {without: words("bastion create --dry-run"), with: words("--name hub"), want: `name +hub\n`},
		"azlin bastion create --sku":              {without: words("bastion create --dry-run"), with: words("--sku developer"), want: `sku +Developer\n`},
		"azlin bastion create --region":           {without: words("bastion create --dry-run"), with: words("--region eastus2"), want: `azlin-vnet-eastus2`},
		"azlin bastion create --subnet-prefix":    {without: words("bastion create --dry-run"), with: words("--subnet-prefix 10.140.200.0/25"), want: `10\.140\.200\.0/25 \(new\)`},
		"azlin bastion create --ip-connect":       {without: words("bastion create --dry-run"), with: words("--ip-connect"), want: `ip-connect +yes`},
		"azlin bastion create --dry-run":          {without: words("bastion create"), with: words("--dry-run"), want: `exit code 0`},
		"azlin bastion create --yes":              {without: words("bastion create --vnet nosuch"), with: words("--yes"), want: `\[notfound\]`},
		"azlin bastion create --confirm-context":  {without: words("bastion create --vnet nosuch --yes"), with: words("--confirm-context other"), want: `the context is "emulator"`},
		"azlin bastion delete --dry-run":          {script: "bastion"},
		"azlin bastion delete --yes":              {without: words("bastion delete nosuch"), with: words("--yes"), want: `no bastion has this name`},
		"azlin bastion delete --confirm-context":  {without: words("bastion delete nosuch --yes"), with: words("--confirm-context other"), want: `the context is "emulator"`},
		"azlin tunnel open --accept-new-host-key": {as: "azlin exec --accept-new-host-key"},
		"azlin tunnel open --bastion":             {script: "tunnel"},
		"azlin tunnel open --foreground":          {script: "tunnel"},
		"azlin tunnel open --key":                 {script: "tunnel"},
		"azlin tunnel open --local-forward":       {script: "tunnel"},
		"azlin tunnel open --name":                {script: "tunnel"},
		"azlin tunnel open --user":                {script: "tunnel"},
		"azlin code --program":                    {script: "code"},
		"azlin code --yes":                        {script: "code"},
		"azlin tunnel close --all":                {script: "tunnel"},

		"azlin bastion tunnel --bastion":    {without: words("bastion tunnel dev"), with: words("--bastion nosuch"), want: `no bastion has this name`},
		"azlin bastion tunnel --port":       {without: words("bastion tunnel dev"), with: words("--port 0"), want: `--port 0 is not a port`},
		"azlin bastion tunnel --local-port": {without: words("bastion tunnel dev"), with: words("--local-port 70000"), want: `--local-port 70000 is not a port`},

		"azlin start --no-wait":       {without: words("start off -o json"), with: words("--no-wait"), before: words("stop off"), want: `"after": null`},
		"azlin stop --no-wait":        {without: words("stop off -o json"), with: words("--no-wait"), before: words("start off"), want: `"after": null`},
		"azlin stop --keep-allocated": {without: words("stop off"), with: words("--keep-allocated"), before: words("start off"), probe: words("show off -o json --jq .power_state"), want: `probe:\nstopped\n`},
		"azlin restart --no-wait":     {without: words("restart dev -o json"), with: words("--no-wait"), probe: words("operations resume dev"), want: `"after": null`},

		"azlin kill --dry-run": {without: words("kill fresh --yes"), with: words("--dry-run"), before: words(fresh), want: `would be deleted`},
		"azlin kill --foreign": {without: words("kill vm-001 -g team --dry-run"), with: words("--foreign"), want: `would be deleted`},
		"azlin kill --yes":     {without: words("kill nosuch"), with: words("--yes"), want: `exit code 0`},

		"azlin killall --dry-run":         {script: "destroy"},
		"azlin killall --yes":             {script: "destroy"},
		"azlin killall --confirm-context": {without: words("killall -g nosuch --yes"), with: words("--confirm-context other"), want: `the context is "emulator"`},
		"azlin destroy --dry-run":         {script: "destroy"},
		"azlin destroy --yes":             {script: "destroy"},
		"azlin destroy --confirm-context": {without: words("destroy nosuch --yes"), with: words("--confirm-context other"), want: `the context is "emulator"`},

		"azlin operations resume --yes":             {script: "operations"},
		"azlin operations resume --no-auto-connect": {as: "azlin new --no-auto-connect"},
		"azlin operations resume --ssh-timeout":     {without: words("operations resume nothing --yes"), with: words("--ssh-timeout 0s"), want: `exit code 2`},
		"azlin operations forget --yes":             {script: "operations"},

		"azlin selftest --markdown": {without: words("selftest"), with: words("--markdown"), want: `\| no fault \| ok \| ok`},
		"azlin selftest --faults":   {script: "selftest"},

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

		"azlin emulator env --az": {without: words("emulator env"), with: words("--az"), want: `export AZURE_CONFIG_DIR=`},

		"azlin emulator seed --group":  {without: words("emulator seed --vms 1"), with: words("--group other"), probe: words("list -g other --jq .vms[].name"), want: `probe:\nvm-001`},
		"azlin emulator seed --region": {without: words("emulator seed --vms 1 --group west"), with: words("--region eastus --group east"), probe: words("list -g east --jq .vms[].location"), want: `probe:\neastus`},
		"azlin emulator seed --vms":    {without: words("emulator seed --group many"), with: words("--vms 11"), probe: words("list -g many --jq .vms|length"), want: `probe:\n11`},

		"azlin emulator start --hosts":       {before: restart, without: words("emulator start"), with: words("--hosts none"), probe: words("emulator status"), want: `switched off`},
		"azlin emulator start --listen":      {before: restart, without: words("emulator start"), with: words("--listen " + listen), probe: status, want: regexp.QuoteMeta(listen)},
		"azlin emulator start --operator-ip": {before: restart, without: words("emulator start"), with: words("--operator-ip 203.0.113.77"), probe: status, want: `203\.0\.113\.77`},
		"azlin emulator start --realistic":   {before: restart, without: words("emulator start"), with: words("--realistic"), probe: status, want: `"realistic":true`},
		"azlin emulator start --record":      {before: restart, without: words("emulator start"), with: words("--record {home}/requests.jsonl"), probe: status, want: `"recording":".*requests\.jsonl"`},
		"azlin emulator serve --record":      {as: "azlin emulator start --record"},
		"azlin emulator start --throttle":    {before: restart, without: words("emulator start"), with: words("--throttle azure"), probe: status, want: `"throttle":"azure"`},
		"azlin emulator start --ssh-port":    {before: restart, without: words("emulator start"), with: words("--ssh-port 2345"), probe: status, want: `"ssh_port":2345`},

		"azlin emulator serve --dir":         {as: "azlin emulator start --listen"}, // a start without it would find nobody
		"azlin emulator serve --hosts":       {as: "azlin emulator start --hosts"},
		"azlin emulator serve --listen":      {as: "azlin emulator start --listen"},
		"azlin emulator serve --operator-ip": {as: "azlin emulator start --operator-ip"},
		"azlin emulator serve --realistic":   {as: "azlin emulator start --realistic"},
		"azlin emulator serve --throttle":    {as: "azlin emulator start --throttle"},
		"azlin emulator serve --ssh-port":    {as: "azlin emulator start --ssh-port"},

		"azlin emulator fault add --method":      {without: words("emulator fault add 500"), with: words("--method HEAD"), probe: words("emulator fault clear"), want: `HEAD`},
		"azlin emulator fault add --path":        {without: words("emulator fault add 500"), with: words("--path */nowhere"), probe: words("emulator fault clear"), want: `path \*/nowhere`},
		"azlin emulator fault add --type":        {without: words("emulator fault add 500"), with: words("--type Microsoft.Compute/disks"), probe: words("emulator fault clear"), want: `Microsoft.Compute/disks`},
		"azlin emulator fault add --operation":   {without: words("emulator fault add fail"), with: words("--operation vm.create"), probe: words("emulator fault clear"), want: `vm\.create`},
		"azlin emulator fault add --name":        {without: words("emulator fault add 500"), with: words("--name x"), probe: words("emulator fault clear"), want: `name x`},
		"azlin emulator fault add --skip":        {without: words("emulator fault add 500"), with: words("--skip 3"), probe: words("emulator fault clear"), want: `after 3`},
		"azlin emulator fault add --count":       {without: words("emulator fault add 500"), with: words("--count 2"), probe: words("emulator fault clear"), want: `2 times`},
		"azlin emulator fault add --probability": {without: words("emulator fault add 500"), with: words("--probability 0.5"), probe: words("emulator fault clear"), want: `0\.5 of them`},
		"azlin emulator fault add --seed":        {without: words("emulator fault add 500 --probability 0.5"), with: words("--seed 9"), probe: words("emulator fault clear"), want: `seed 9`},
		"azlin emulator fault add --delay":       {without: words("emulator fault add slow"), with: words("--delay 3m"), probe: words("emulator fault clear"), want: `3m`},
		"azlin emulator fault add --bytes":       {without: words("emulator fault add ssh-drop"), with: words("--bytes 77"), probe: words("emulator fault clear"), want: `77 bytes`},
		"azlin emulator fault add --code":        {without: words("emulator fault add 500"), with: words("--code Busy"), probe: words("emulator fault clear"), want: `Busy`},

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
	door, err := doorOf(status)
	if err != nil {
		p.t.Fatal(err)
	}
	id := azure.NewID(status.SubscriptionID, group, "Microsoft.Compute", "virtualMachines", name).String()
	if err := door.DeleteTags(p.t.Context(), id, azure.TagManagedBy); err != nil {
		p.t.Fatal(err)
	}
}

// doorOf is an emulator's Azure, as its own principal sees it.
func doorOf(status emulator.Status) (*azure.Client, error) {
	cloud, err := azure.Custom("emulator", status.Endpoint, status.Endpoint, "", status.CAFile)
	if err != nil {
		return nil, err
	}
	auth, err := azure.NewAuthenticator(azure.AuthOptions{
		Cloud: cloud, TenantID: status.TenantID, SubscriptionID: status.SubscriptionID,
		ClientID: status.ClientID, ClientSecretFile: status.ClientSecretFile,
	})
	if err != nil {
		return nil, err
	}
	credential, err := auth.Credential()
	if err != nil {
		return nil, err
	}
	return azure.Open(azure.Options{Target: azure.Target{Cloud: cloud, SubscriptionID: status.SubscriptionID}, Credential: credential})
}
