package cli_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/cli"
	"github.com/azlin-dev/azlin/emulator"
)

// treeCase is one command of the tree as it is run to see what it sends. {vm} is a VM in the group "team".
type treeCase struct {
	args  string
	azure bool // it works on the subscription
	write bool // it changes something there, and a read-only context must refuse it

	not string // instead: why it is not run
}

// treeCases has a line for every command that does something, so that a new one cannot be forgotten.
func treeCases() map[string]treeCase {
	const local = "it manages the emulator, whatever the context"
	return map[string]treeCase{
		"azlin new":                {args: "new --name fresh --yes --no-auto-connect", azure: true, write: true},
		"azlin sizes":              {args: "sizes", azure: true},
		"azlin regions":            {args: "regions", azure: true},
		"azlin images":             {args: "images", azure: true},
		"azlin quota":              {args: "quota", azure: true},
		"azlin list":               {args: "list", azure: true},
		"azlin show":               {args: "show {vm}", azure: true},
		"azlin connect":            {args: "connect {vm} -- true", azure: true},
		"azlin logs":               {args: "logs {vm}", azure: true},
		"azlin restore":            {args: "restore --dry-run", azure: true},
		"azlin code":               {args: "code {vm} --yes --program true", azure: true},
		"azlin tunnel":             {not: "a group"},
		"azlin tunnel open":        {not: "it stays; script tunnel"},
		"azlin tunnel list":        {args: "tunnel list"},
		"azlin tunnel close":       {args: "tunnel close --all"},
		"azlin exec":               {args: "exec {vm} -- true", azure: true},
		"azlin proxy":              {args: "proxy {vm}", azure: true},
		"azlin ssh-config":         {args: "ssh-config --yes", azure: true},
		"azlin bastion":            {not: "a group"},
		"azlin bastion list":       {args: "bastion list", azure: true},
		"azlin bastion status":     {args: "bastion status nothing", azure: true},
		"azlin bastion create":     {args: "bastion create --vnet team-vnet -g team --yes", azure: true, write: true},
		"azlin bastion delete":     {args: "bastion delete nothing --yes", azure: true, write: true},
		"azlin bastion tunnel":     {not: "it stays until it is interrupted; script bastion"},
		"azlin start":              {args: "start {vm}", azure: true, write: true},
		"azlin restart":            {args: "restart {vm}", azure: true, write: true},
		"azlin stop":               {args: "stop {vm}", azure: true, write: true},
		"azlin kill":               {args: "kill {vm} --yes", azure: true, write: true},
		"azlin killall":            {args: "killall -g team --yes", azure: true, write: true},
		"azlin destroy":            {args: "destroy team --yes", azure: true, write: true},
		"azlin adopt":              {args: "adopt {vm}", azure: true, write: true},
		"azlin operations":         {not: "a group"},
		"azlin operations list":    {args: "operations list", azure: true},
		"azlin operations show":    {args: "operations show nothing", azure: true},
		"azlin operations resume":  {args: "operations resume nothing --yes", azure: true, write: true},
		"azlin operations abandon": {args: "operations abandon nothing --yes", azure: true, write: true},
		"azlin operations forget":  {args: "operations forget nothing --yes"},
		"azlin session":            {args: "session {vm} work", azure: true, write: true},
		"azlin tag":                {not: "a group"},
		"azlin tag add":            {args: "tag add {vm} team=web", azure: true, write: true},
		"azlin tag list":           {args: "tag list {vm}", azure: true},
		"azlin tag remove":         {args: "tag remove {vm} azlin_nothing", azure: true, write: true},
		"azlin cleanup":            {args: "cleanup", azure: true},
		"azlin keys":               {not: "a group"},
		"azlin keys list":          {args: "keys list {vm}", azure: true},
		"azlin keys rotate":        {args: "keys rotate {vm} --yes", azure: true, write: true},
		"azlin keys export":        {args: "keys export"},
		"azlin keys backup":        {args: "keys backup"},
		"azlin keys restore":       {args: "keys restore nothing --yes"},
		"azlin status":             {args: "status {vm}", azure: true},
		"azlin image":              {not: "a group"},
		"azlin image list":         {args: "image list", azure: true},
		"azlin image bake":         {args: "image bake {vm} --yes", azure: true, write: true},
		"azlin image delete":       {args: "image delete nothing --yes", azure: true, write: true},
		"azlin clone":              {args: "clone {vm} --name twin --yes", azure: true, write: true},
		"azlin prune":              {args: "prune --yes", azure: true, write: true},
		"azlin resize":             {args: "resize {vm} Standard_B2ms --yes", azure: true, write: true},
		"azlin why":                {args: "why {vm}", azure: true},
		"azlin update":             {args: "update {vm} --tools git", azure: true, write: true},
		"azlin os-update":          {args: "os-update {vm}", azure: true, write: true},
		"azlin template":           {not: "a group"},
		"azlin template create":    {args: "template create kept --from-vm {vm} --replace", azure: true},
		"azlin template list":      {args: "template list"},
		"azlin template show":      {args: "template show kept"},
		"azlin template validate":  {args: "template validate kept"},
		"azlin template export":    {args: "template export kept"},
		"azlin template import":    {args: "template import nosuch.yaml"},
		"azlin template delete":    {args: "template delete kept --yes"},
		"azlin history":            {args: "history"},
		"azlin last":               {args: "last"},
		"azlin doctor":             {args: "doctor", azure: true},
		"azlin init":               {args: "init --no-context --subscription {prod} --group team --region westus2 --size Standard_B2s"},
		"azlin config get":         {args: "config get default_region"},
		"azlin config set":         {args: "config set default_region westus2"},
		"azlin config unset":       {args: "config unset default_region"},
		"azlin config list":        {args: "config list"},
		"azlin config show":        {args: "config show --origin"},
		"azlin config path":        {args: "config path"},
		"azlin config edit":        {not: "it runs an editor; script config"},
		"azlin alias list":         {args: "alias list"},
		"azlin alias set":          {args: "alias set go start"},
		"azlin alias delete":       {args: "alias delete go"},
		"azlin context create":     {args: "context create another"},
		"azlin context list":       {args: "context list"},
		"azlin context use":        {args: "context use prod"},
		"azlin context current":    {args: "context current"},
		"azlin context show":       {args: "context show"},
		"azlin context set":        {args: "context set another --region westus2"},
		"azlin context rename":     {args: "context rename another other"},
		"azlin context delete":     {args: "context delete other --yes"},
		"azlin context shell":      {not: "it runs a shell; script context"},
		"azlin version":            {args: "version"},
		"azlin emulator start":     {not: local},
		"azlin emulator serve":     {not: local},
		"azlin emulator stop":      {not: local},
		"azlin emulator status":    {not: local},
		"azlin emulator reset":     {not: local},
		"azlin emulator seed":      {not: local},
		"azlin emulator env":       {not: local},

		"azlin emulator clock":         {not: "a group"},
		"azlin emulator clock show":    {not: local},
		"azlin emulator fault":         {not: "a group"},
		"azlin emulator fault add":     {not: local},
		"azlin emulator fault list":    {not: local},
		"azlin emulator fault clear":   {not: local},
		"azlin selftest":               {not: "it has an emulator of its own; script selftest"},
		"azlin emulator clock advance": {not: local},
		"azlin emulator clock set":     {not: local},

		"azlin help exit-codes":  {not: "a text"},
		"azlin login":            {args: "login"},
		"azlin logout":           {args: "logout"},
		"azlin auth status":      {args: "auth status"},
		"azlin auth test":        {args: "auth test", azure: true},
		"azlin auth permissions": {args: "auth permissions", azure: true},
		"azlin auth":             {not: "a group"},
		"azlin config":           {not: "a group"},
		"azlin alias":            {not: "a group"},
		"azlin context":          {not: "a group"},
		"azlin emulator":         {not: "a group"},
		"azlin":                  {not: "a group"},
		"azlin exit-codes":       {not: "a text"},
		"azlin selection":        {not: "a text"},
		"azlin output":           {not: "a text"},
	}
}

// eachCommand runs every command of the tree with args put before its own.
func eachCommand(t *testing.T, p *person, vm string, before []string, check func(path string, c treeCase, r ran)) {
	t.Helper()
	cases := treeCases()
	tree := map[string]bool{}
	walk(cli.Root(), func(cmd *cobra.Command) { tree[cmd.CommandPath()] = true })
	// Alphabetically, but for what the later ones need.
	order := slices.Sorted(maps.Keys(tree))
	last := []string{"azlin context set", "azlin context rename", "azlin context delete", "azlin stop", "azlin kill", "azlin killall", "azlin destroy", "azlin logout"}
	order = append(slices.DeleteFunc(order, func(s string) bool { return slices.Contains(last, s) }),
		slices.DeleteFunc(last, func(s string) bool { return !tree[s] })...)
	for _, path := range order {
		c, ok := cases[path]
		if !ok {
			t.Errorf("%s has no line in treeCases: does it talk to Azure, and does it write?", path)
			continue
		}
		if c.not != "" {
			continue
		}
		line := strings.NewReplacer("{vm}", vm, "{prod}", prodSubscription).Replace(c.args)
		check(path, c, p.run(append(slices.Clone(before), words(line)...)...))
	}
}

const prodSubscription = "33333333-3333-3333-3333-333333333333"

var sentTo = regexp.MustCompile(`path=/subscriptions/([0-9a-fA-F-]+)`)

// TestContextDecidesForEveryCommand uses a context and runs every command: each request goes to the context's
// subscription, and the Azure CLI's files stay as they were.
func TestContextDecidesForEveryCommand(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.must("emulator", "seed", "--vms", "1", "--group", "team")
	vm := strings.TrimSpace(p.must("list", "--jq", ".[0].name"))
	p.environ = append(p.environ, "AZLIN_CONTEXT=", "AZURE_SUBSCRIPTION_ID=44444444-4444-4444-4444-444444444444")
	profile := filepath.Join(p.home, ".azure", "azureProfile.json")
	content := `{"subscriptions":[{"id":"55555555-5555-5555-5555-555555555555","name":"mine","state":"Enabled","isDefault":true,` +
		`"tenantId":"66666666-6666-6666-6666-666666666666","environmentName":"AzureCloud","user":{"name":"me@example.org","type":"user"}}]}`
	if err := os.MkdirAll(filepath.Dir(profile), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(profile, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	p.must("context", "create", "prod", "--cloud", "emulator", "--subscription", prodSubscription, "-g", "team")
	p.must("context", "create", "here", "--cloud", "emulator")
	p.must("context", "use", "prod")
	// The emulator does not have prod's subscription and says so, which is what names it on the wire.
	eachCommand(t, p, vm, []string{"--debug"}, func(path string, c treeCase, r ran) {
		sent := sentTo.FindAllStringSubmatch(r.errOut, -1)
		for _, s := range sent {
			if s[1] != prodSubscription {
				t.Errorf("%s sent a request to subscription %s:\n%s", path, s[1], r.errOut)
				break
			}
		}
		if c.azure && len(sent) == 0 {
			t.Errorf("%s sent nothing to the subscription:\n%s", path, r.errOut)
		}
		if c.azure && !strings.Contains(r.out+r.errOut, "SubscriptionNotFound") {
			t.Errorf("%s did not hear that the subscription is not there:\n%s%s", path, r.out, r.errOut)
		}
	})
	after, err := os.ReadFile(profile)
	if err != nil || string(after) != content {
		t.Errorf("the Azure CLI's profile was changed: %v\n%s", err, after)
	}
	if files, err := os.ReadDir(filepath.Dir(profile)); err != nil || len(files) != 1 {
		t.Errorf("the Azure CLI's directory holds %v, %v", files, err)
	}
	p.must("context", "use", "here")
	r := p.run("--debug", "show", vm)
	if sent := sentTo.FindStringSubmatch(r.errOut); r.code != 0 || sent == nil || sent[1] == prodSubscription {
		t.Errorf("in another context: %d %v\n%s", r.code, sent, r.errOut)
	}
}

// TestReadOnlySendsNoWrite runs every command in a read-only context and counts on the emulator's side.
func TestReadOnlySendsNoWrite(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.must("emulator", "seed", "--vms", "1", "--group", "team")
	vm := strings.TrimSpace(p.must("list", "--jq", ".[0].name"))
	p.must("context", "create", "prod", "--cloud", "emulator", "--read-only", "-g", "team")
	p.environ = append(p.environ, "AZLIN_CONTEXT=prod")
	p.must("list") // signed in
	writes := func() int {
		t.Helper()
		status, err := emulator.Read(t.Context(), p.emulatorDir())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for method, count := range status.Requests {
			if method != "GET" && method != "HEAD" {
				n += count
			}
		}
		return n
	}
	before := writes()
	eachCommand(t, p, vm, nil, func(path string, c treeCase, r ran) {
		now := writes()
		if now != before {
			t.Errorf("%s sent %d writes:\n%s", path, now-before, r.errOut)
		}
		before = now
		if refused := strings.Contains(r.out+r.errOut, "read-only"); c.write && (!refused || r.code == 0) {
			t.Errorf("%s was not refused: exit code %d\n%s%s", path, r.code, r.out, r.errOut)
		}
	})
	// The same VM, in a context that may write.
	if r := p.run("--context", "emulator", "stop", vm, "-g", "team"); r.code != 0 || writes() == before {
		t.Errorf("a write was not counted: %d\n%s", r.code, r.errOut)
	}
}
