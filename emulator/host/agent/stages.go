//go:build unix

package agent

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/host/agent/account"
	"github.com/azlin-dev/azlin/emulator/host/agent/userland"
	"github.com/azlin-dev/azlin/emulator/host/cloudinit"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// cloudInitEarly does what happens before sshd: the stages init-local, init and config, without their waits.
func (m *machine) cloudInitEarly() error {
	if err := m.enterInstance(); err != nil {
		return err
	}
	m.status = newStatus()
	m.logf("Cloud-init v. %s running 'init-local' at %s. Up 0.10 seconds.", userland.CloudInitVersion, userland.UTCNow())
	if err := m.placeParts(); err != nil {
		return err
	}
	if len(m.config.Boot) > 0 {
		if err := m.runScript(filepath.Join(m.instance, "bootcmd"), cloudinit.Script(m.config.Boot)); err != nil {
			m.status.fail(fmt.Errorf("('bootcmd', %w)", err))
		}
	}
	for _, hook := range m.config.Boothooks {
		if err := m.runScript(filepath.Join(m.instance, "boothooks", hook.Name), hook.Content); err != nil {
			m.warnf("handlers.py", "Boothooks script %s failed: %v", hook.Name, err)
		}
	}
	m.logf("Cloud-init v. %s running 'init' at %s. Up 0.20 seconds.", userland.CloudInitVersion, userland.UTCNow())
	m.announceHostKeys()
	if !m.fresh {
		return m.writeStatus(false)
	}
	for _, warning := range m.config.Warnings {
		m.warnf("handlers.py", "%s", warning)
	}
	for _, key := range m.config.Unknown {
		m.logf("schema.py[WARNING]: the emulator does not act on %q", key)
	}
	for _, group := range m.config.Groups {
		if err := m.tree.AddGroup(group); err != nil {
			m.warnf("cc_users_groups.py", "group %q: %v", group, err)
		}
	}
	if err := m.nameAndZone(); err != nil {
		m.status.fail(err)
	}
	m.writeFiles(false)
	if err := m.createUsers(); err != nil {
		return err
	}
	return m.writeStatus(false)
}

// finish runs the stage final, while people may already log in, and tells when it is over.
func (m *machine) finish() {
	m.logf("Cloud-init v. %s running 'modules:final' at %s. Up 0.90 seconds.", userland.CloudInitVersion, userland.UTCNow())
	if c := m.config; (len(c.Packages) > 0 || c.PackageUpdate || c.PackageUpgrade) && m.once("package_update_upgrade_install") {
		m.installPackages()
	}
	if slices.ContainsFunc(m.config.Files, func(f cloudinit.File) bool { return f.Defer }) && m.once("write_files_deferred") {
		m.writeFiles(true)
	}
	m.runParts("scripts_per_boot", perBootDir, m.config.PerBoot)
	if len(m.config.PerInstance) > 0 && m.once("scripts_per_instance") {
		m.runParts("scripts_per_instance", perInstanceDir, m.config.PerInstance)
	}
	if len(m.config.Scripts)+len(m.config.Run) > 0 && m.once("scripts_user") {
		scripts := m.config.Scripts
		if len(m.config.Run) > 0 {
			scripts = append(slices.Clone(scripts), cloudinit.ScriptFile{Name: "runcmd", Content: cloudinit.Script(m.config.Run)})
		}
		m.runParts("scripts_user", filepath.Join(m.instance, "scripts"), scripts)
	}
	message := m.config.FinalMessage
	if message == "" {
		message = "Cloud-init v. $version finished at $timestamp. Datasource $datasource.  Up $uptime seconds"
	}
	m.logf("%s", strings.NewReplacer("$version", userland.CloudInitVersion, "$VERSION", userland.CloudInitVersion, "$timestamp", userland.UTCNow(), "$TIMESTAMP", userland.UTCNow(),
		"$datasource", userland.DataSource, "$DATASOURCE", userland.DataSource,
		"$uptime", "1.00", "$UPTIME", "1.00").Replace(message))
	if err := m.writeResult(); err != nil {
		m.logf("ERROR: %v", err)
	}
	_ = m.conn.Send(wire.Notice{Done: true}) // the emulator may have gone; then so do we
}

// once reports whether a module has to run that runs once for an instance. As in cloud-init it has run as soon as it
// has begun: a restart in the middle leaves it as it is, and those after it run at the next boot.
func (m *machine) once(module string) bool {
	if _, err := os.Stat(m.tree.Path(filepath.Join(m.instance, "boot-finished"))); err == nil {
		return false
	}
	path := m.tree.Path(filepath.Join(m.instance, "sem/config_"+module))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// The directories of scripts that belong to no instance.
const (
	perBootDir     = "var/lib/cloud/scripts/per-boot"
	perInstanceDir = "var/lib/cloud/scripts/per-instance"
)

// placeParts writes the scripts of the user data where they will be run from, at every boot and before anybody can log
// in, as cloud-init does when it takes the user data apart.
func (m *machine) placeParts() error {
	for dir, scripts := range map[string][]cloudinit.ScriptFile{
		perBootDir: m.config.PerBoot, perInstanceDir: m.config.PerInstance, filepath.Join(m.instance, "scripts"): m.config.Scripts,
	} {
		for _, s := range scripts {
			if err := m.write(filepath.Join(dir, s.Name), s.Content, 0o700); err != nil {
				return err
			}
		}
	}
	return nil
}

// runParts runs scripts in the order of their names, whatever becomes of those before, as cloud-init's runparts.
func (m *machine) runParts(module, dir string, scripts []cloudinit.ScriptFile) {
	if len(scripts) == 0 {
		return
	}
	scripts = slices.Clone(scripts)
	slices.SortStableFunc(scripts, func(a, b cloudinit.ScriptFile) int { return strings.Compare(a.Name, b.Name) })
	var failed []string
	for _, s := range scripts {
		if err := m.runScript(filepath.Join(dir, s.Name), s.Content); err != nil {
			m.warnf("subp.py", "Failed running /%s [%v]", filepath.Join(dir, s.Name), err)
			failed = append(failed, s.Name)
		}
	}
	if len(failed) > 0 {
		m.warnf("cc_"+module+".py", "Failed to run module %s (scripts in /%s)", strings.ReplaceAll(module, "_", "-"), dir)
		m.status.fail(fmt.Errorf("('%s', RuntimeError('Runparts: %d failures (%s) in %d attempted commands'))",
			module, len(failed), strings.Join(failed, ", "), len(scripts)))
	}
}

// instanceID is cloud-init's name of this instance.
func (m *machine) instanceID() string {
	if id := m.boot.InstanceID; id != "" && !strings.ContainsAny(id, "/\n") {
		return id
	}
	return "iid-emulated"
}

// enterInstance prepares /var/lib/cloud and finds out whether this is the instance's first boot.
func (m *machine) enterInstance() error {
	id := m.instanceID()
	dir := filepath.Join("var/lib/cloud/instances", id)
	if err := os.MkdirAll(m.tree.Path(filepath.Join(dir, "scripts")), 0o755); err != nil {
		return err
	}
	link := m.tree.Path("var/lib/cloud/instance")
	if err := os.RemoveAll(link); err != nil {
		return err
	}
	if err := os.Symlink(m.tree.Path(dir), link); err != nil {
		return err
	}
	m.instance = dir
	_, err := os.Stat(m.tree.Path(filepath.Join(dir, "sem/users")))
	m.fresh = errors.Is(err, os.ErrNotExist)
	if !m.fresh {
		return nil
	}
	if err := m.write(filepath.Join(dir, "user-data.txt"), string(m.boot.UserData), 0o600); err != nil {
		return err
	}
	if err := m.write("var/lib/cloud/data/instance-id", id+"\n", 0o644); err != nil {
		return err
	}
	return m.write(filepath.Join(dir, "sem/users"), userland.UTCNow()+"\n", 0o644)
}

func (m *machine) nameAndZone() error {
	var errs []error
	if name := m.config.Hostname; name != "" {
		errs = append(errs, m.write("etc/hostname", name+"\n", 0o644), m.setHostname(name))
	}
	if m.config.Timezone != "" && m.boot.Isolated {
		errs = append(errs, m.setTimezone(m.config.Timezone))
	}
	return errors.Join(errs...)
}

// createUsers makes the admin user of osProfile and those of the user data.
func (m *machine) createUsers() error {
	var users []cloudinit.User
	if m.boot.AdminUser != "" {
		admin := m.adminUser(m.boot.AdminUser)
		admin.AuthorizedKeys = append(append([]string{}, m.boot.AdminKeys...), m.config.AuthorizedKeys...)
		users = append(users, admin)
	}
	for _, u := range append(users, m.config.Users...) {
		who, err := m.tree.AddUser(u)
		if err == nil {
			err = m.permit(who.Name, u.Sudo)
		}
		if err == nil && len(u.AuthorizedKeys) > 0 {
			err = m.tree.Authorize(who, u.AuthorizedKeys, true)
		}
		if err != nil {
			err = fmt.Errorf("user %q: %w", u.Name, err)
			m.status.fail(err)
			m.logf("cc_users_groups[WARNING]: %v", err)
			if u.Name == m.boot.AdminUser {
				return err
			}
			continue
		}
		m.logf("ci-info: authorized keys from /home/%s/.ssh/authorized_keys for user %s", who.Name, who.Name)
	}
	return nil
}

// writeFiles writes the files of write_files, deferred ones apart from the others.
func (m *machine) writeFiles(deferred bool) {
	for _, f := range m.config.Files {
		if f.Defer != deferred {
			continue
		}
		if err := m.writeFile(f); err != nil {
			m.status.fail(fmt.Errorf("write_files: %w", err))
			m.logf("cc_write_files[WARNING]: %v", err)
		}
	}
}

func (m *machine) writeFile(f cloudinit.File) error {
	path := m.tree.Path(f.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if f.Append {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	out, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(f.Content)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	// As chmod(2), for os.FileMode has its own bits for setuid and its like.
	return chmod(path, f.Mode)
}

// installPackages runs apt as cloud-init does.
func (m *machine) installPackages() {
	apt := func(module string, args ...string) {
		line := "DEBIAN_FRONTEND=noninteractive apt-get --option=Dpkg::Options::=--force-confold --option=Dpkg::options::=--force-unsafe-io --assume-yes --quiet " +
			strings.Join(args, " ")
		if err := m.runScript(filepath.Join(m.instance, "apt"), "#!/bin/sh\nexec env "+line+"\n"); err != nil {
			m.warnf("cc_package_update_upgrade_install.py", "%s failed: %v", module, err)
			m.status.fail(fmt.Errorf("('package_update_upgrade_install', ProcessExecutionError(\"%s: %w\"))", line, err))
		}
	}
	if m.config.PackageUpdate || m.config.PackageUpgrade || len(m.config.Packages) > 0 {
		apt("update", "update")
	}
	if m.config.PackageUpgrade {
		apt("upgrade", "dist-upgrade")
	}
	if len(m.config.Packages) > 0 {
		quoted := make([]string, len(m.config.Packages))
		for i, name := range m.config.Packages {
			quoted[i] = userland.QuoteWords([]string{name})
		}
		apt("install", append([]string{"install"}, quoted...)...)
	}
}

// runScript runs a script as root; its output goes to the log and the console.
func (m *machine) runScript(file, script string) error {
	if !m.boot.Isolated {
		m.logf("%s: not run, for without isolation it would change the host", filepath.Base(file))
		return nil
	}
	if err := m.write(file, script, 0o700); err != nil {
		return err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		in.Close()
		out.Close()
		return err
	}
	defer null.Close()
	path := m.tree.Path(file)
	env := append(m.root.environment(account.RootAccount(), wire.Exec{}, ""), "INSTANCE_ID="+m.boot.InstanceID)
	attr := &os.ProcAttr{Dir: "/", Env: env, Files: []*os.File{null, in, in}, Sys: newSession()}
	cmd, err := m.root.reaper.Start(path, []string{path}, attr, m.root.prepare)
	in.Close()
	if err != nil {
		out.Close()
		return err
	}
	// What a script leaves running may hold its output open; the stage ends with the script.
	go m.logLines(out)
	if exit := exitOf(<-cmd.Done); exit.Code != 0 {
		return fmt.Errorf("exit code %d", exit.Code)
	}
	return nil
}

// logLines copies output to the log, line by line.
func (m *machine) logLines(out io.ReadCloser) {
	defer out.Close()
	lines := bufio.NewReaderSize(out, 4096)
	for {
		line, _, err := lines.ReadLine()
		if err != nil {
			return
		}
		m.printed(string(line))
	}
}

func (m *machine) writeJSON(name string, value any) error {
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	return m.write(name, string(data)+"\n", 0o644)
}
