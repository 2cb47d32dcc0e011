package config_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

const (
	devSubscription  = "11111111-1111-1111-1111-111111111111"
	prodSubscription = "33333333-3333-3333-3333-333333333333"
)

func TestContextFile(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := config.ContextFile{Path: filepath.Join(t.TempDir(), "new", "contexts.toml")}
	dev := config.Context{Name: "dev", Cloud: "public", SubscriptionID: devSubscription, TenantID: "22222222-2222-2222-2222-222222222222", Description: "for trying"}
	prod := config.Context{Name: "prod", Cloud: "china", SubscriptionID: prodSubscription, ResourceGroup: "g", Region: "chinaeast2", Protected: true, ReadOnly: true}
	for _, c := range []config.Context{dev, prod} {
		if err := f.Create(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	load := func() config.Contexts {
		t.Helper()
		all, err := f.Load()
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	emulator, err := load().Get(config.EmulatorContext)
	if err != nil || emulator.Cloud != config.EmulatorContext {
		t.Fatalf("got %+v, %v", emulator, err)
	}
	if diff := cmp.Diff([]config.Context{dev, emulator, prod}, load().List()); diff != "" {
		t.Error(diff)
	}
	if _, ok, err := load().Active(); ok || err != nil {
		t.Errorf("a context is active: %v", err)
	}
	if err := f.Use(ctx, "prod"); err != nil {
		t.Fatal(err)
	}
	if active, ok, err := load().Active(); !ok || err != nil || active != prod {
		t.Errorf("active is %+v, %v, %v", active, ok, err)
	}
	if err := f.Rename(ctx, "prod", "production"); err != nil {
		t.Fatal(err)
	}
	prod.Name = "production"
	if active, _, err := load().Active(); err != nil || active != prod {
		t.Errorf("active is %+v, %v", active, err)
	}
	no, region := false, ""
	if err := f.Change(ctx, "production", config.ContextChange{ReadOnly: &no, Region: &region}); err != nil {
		t.Fatal(err)
	}
	if got, _ := load().Get("production"); got.ReadOnly || !got.Protected || got.Region != "" {
		t.Errorf("got %+v", got)
	}
	if err := f.Delete(ctx, "production"); err != nil {
		t.Fatal(err)
	}
	if all := load(); all.Current != "" || len(all.Names()) != 2 {
		t.Errorf("after deleting the current one: %+v", all)
	}
	if err := f.Use(ctx, config.EmulatorContext); err != nil || load().Current != config.EmulatorContext {
		t.Errorf("use the built-in one: %v", err)
	}
	for what, test := range map[string]struct {
		err  error
		kind errkind.Kind
	}{
		"create an existing one":     {f.Create(ctx, dev), errkind.Conflict},
		"create without a name":      {f.Create(ctx, config.Context{}), errkind.Invalid},
		"create with a bad id":       {f.Create(ctx, config.Context{Name: "x", TenantID: "contoso.com"}), errkind.Invalid},
		"create the built-in one":    {f.Create(ctx, config.Context{Name: config.EmulatorContext}), errkind.Conflict},
		"delete the built-in one":    {f.Delete(ctx, config.EmulatorContext), errkind.Conflict},
		"rename the built-in one":    {f.Rename(ctx, config.EmulatorContext, "x"), errkind.Conflict},
		"rename to the built-in one": {f.Rename(ctx, "dev", config.EmulatorContext), errkind.Conflict},
		"rename to a bad name":       {f.Rename(ctx, "dev", "a.b"), errkind.Invalid},
		"rename an absent one":       {f.Rename(ctx, "nosuch", "x"), errkind.NotFound},
		"delete an absent one":       {f.Delete(ctx, "nosuch"), errkind.NotFound},
		"use an absent one":          {f.Use(ctx, "nosuch"), errkind.NotFound},
	} {
		if !errors.Is(test.err, config.ErrContext) || !errors.Is(test.err, config.ErrConfig) || errkind.Of(test.err) != test.kind {
			t.Errorf("%s: %v (%s)", what, test.err, errkind.Of(test.err))
		}
	}
}

func TestSetSubscription(t *testing.T) {
	t.Parallel()
	f := config.ContextFile{Path: write(t, "[contexts.dev]\n[contexts.prod]\n")}
	if err := f.SetSubscription(t.Context(), config.Environment{}, devSubscription); !errors.Is(err, config.ErrEnvironment) {
		t.Errorf("without an active context: %v", err)
	}
	if err := f.SetSubscription(t.Context(), config.Environment{Context: "prod"}, prodSubscription); err != nil {
		t.Fatal(err)
	}
	if err := f.Use(t.Context(), "dev"); err != nil {
		t.Fatal(err)
	}
	if err := f.SetSubscription(t.Context(), config.Environment{}, devSubscription); err != nil {
		t.Fatal(err)
	}
	if err := f.SetSubscription(t.Context(), config.Environment{}, "x"); !errors.Is(err, config.ErrEnvironment) || errkind.Of(err) != errkind.Invalid {
		t.Errorf("a bad id: %v", err)
	}
	all, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"dev": devSubscription, "prod": prodSubscription} {
		if c, _ := all.Get(name); c.SubscriptionID != want {
			t.Errorf("%s is in %s", name, c.SubscriptionID)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	c, err := config.Load(write(t, "default_resource_group = 'cfg'\ndefault_region = 'cfgregion'\n"))
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, `current = "plain"
[contexts.plain]
[contexts.full]
cloud = "china"
tenant_id = "22222222-2222-2222-2222-222222222222"
subscription_id = "11111111-1111-1111-1111-111111111111"
resource_group = "ctx"
region = "ctxregion"
[contexts.local]
cloud = "Emulator"
`)
	all, err := config.LoadContexts(file)
	if err != nil {
		t.Fatal(err)
	}
	env := config.Environment{SubscriptionID: prodSubscription, TenantID: "t"}
	for _, test := range []struct {
		what  string
		flags config.Flags
		env   config.Environment
		want  string // name=value(origin) of what is looked at
	}{
		{"the file", config.Flags{}, config.Environment{}, "context=plain(context) cloud=public(default) resource_group=cfg(config) region=cfgregion(config)"},
		{"the environment", config.Flags{}, env, "subscription_id=" + prodSubscription + "(environment) tenant_id=t(environment)"},
		{"a context", config.Flags{Context: "full"}, env, "context=full(flag) cloud=china(context) subscription_id=" + devSubscription + "(context) resource_group=ctx(context) region=ctxregion(context)"},
		{"the environment's context", config.Flags{}, config.Environment{Context: "full", ResourceGroup: "env"}, "context=full(environment) resource_group=env(environment)"},
		{"a flag before all", config.Flags{ResourceGroup: "flag"}, config.Environment{Context: "full", ResourceGroup: "env"}, "resource_group=flag(flag)"},
		{"all groups before all", config.Flags{AllGroups: true}, config.Environment{Context: "full", ResourceGroup: "env"}, "context=full(environment) resource_group=(flag)"},
		{"the emulator has its own", config.Flags{Context: "local"}, env, "subscription_id=() tenant_id=() cloud=Emulator(context)"},
	} {
		r, err := config.Resolve(test.flags, test.env, all, c)
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		got := map[string]string{}
		for _, s := range r.Settings() {
			got[s.Name] = s.Text() + "(" + string(s.Origin) + ")"
		}
		for want := range strings.FieldsSeq(test.want) {
			name, value, _ := strings.Cut(want, "=")
			if got[name] != value {
				t.Errorf("%s: %s is %s, want %s", test.what, name, got[name], value)
			}
		}
	}
	if _, err := config.Resolve(config.Flags{Context: "nosuch"}, env, all, c); errkind.Of(err) != errkind.NotFound {
		t.Errorf("an absent context: %v", err)
	}
	r, err := config.Resolve(config.Flags{}, config.Environment{}, config.Contexts{}, config.Config{})
	if err != nil || r.Region.Text() != "westus2" || r.SubscriptionID.Value != nil || r.Context.Name != "" {
		t.Errorf("nothing decided: %+v, %v", r, err)
	}
}
