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
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/host/cloudinit"
	"github.com/azlin-dev/azlin/emulator/host/wire"
)

// cloudInitVersion is what the logs claim to come from.
const cloudInitVersion = "25.1.4-0ubuntu0~24.04.1"

// cloudInitEarly does what happens before sshd: the stages init-local, init and config, without their waits.
func (m *machine) cloudInitEarly() error {
	if err := m.enterInstance(); err != nil {
		return err
	}
	m.status = newStatus()
	m.logf("Cloud-init v. %s running 'init-local' at %s. Up 0.10 seconds.", cloudInitVersion, utcNow())
	if err := m.runScript("bootcmd", cloudinit.Script(m.config.Boot), len(m.config.Boot) > 0); err != nil {
		m.status.fail(fmt.Errorf("bootcmd: %w", err))
	}
	m.logf("Cloud-init v. %s running 'init' at %s. Up 0.20 seconds.", cloudInitVersion, utcNow())
	m.announceHostKeys()
	if !m.fresh {
		return m.writeStatus(false)
	}
	for _, warning := range m.config.Warnings {
		m.logf("WARNING: %s", warning)
		m.status.fail(errors.New(warning))
	}
	for _, key := range m.config.Unknown {
		m.logf("cc_unknown[WARNING]: the emulator does not act on %q", key)
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
	if m.fresh {
		m.logf("Cloud-init v. %s running 'modules:final' at %s. Up 0.90 seconds.", cloudInitVersion, utcNow())
		m.recordPackages()
		m.writeFiles(true)
		if err := m.runScript("runcmd", cloudinit.Script(m.config.Run), len(m.config.Run) > 0); err != nil {
			m.status.fail(fmt.Errorf("runcmd: %w", err))
		}
		for i, script := range m.config.Scripts {
			if err := m.runScript(fmt.Sprintf("part-%03d", i+1), script, true); err != nil {
				m.status.fail(fmt.Errorf("scripts-user: %w", err))
			}
		}
	}
	message := m.config.FinalMessage
	if message == "" {
		message = "Cloud-init v. $version finished at $timestamp. Datasource $datasource.  Up $uptime seconds"
	}
	m.logf("%s", strings.NewReplacer("$version", cloudInitVersion, "$VERSION", cloudInitVersion, "$timestamp", utcNow(), "$TIMESTAMP", utcNow(),
		"$datasource", dataSource, "$DATASOURCE", dataSource,
		"$uptime", "1.00", "$UPTIME", "1.00").Replace(message))
	if err := m.writeResult(); err != nil {
		m.logf("ERROR: %v", err)
	}
	_ = m.conn.Send(wire.Notice{Done: true}) // the emulator may have gone; then so do we
}

// enterInstance prepares /var/lib/cloud and finds out whether this is the instance's first boot.
func (m *machine) enterInstance() error {
	id := m.boot.InstanceID
	if id == "" || strings.ContainsAny(id, "/\n") {
		id = "iid-emulated"
	}
	dir := filepath.Join("var/lib/cloud/instances", id)
	if err := os.MkdirAll(m.tree.path(filepath.Join(dir, "scripts")), 0o755); err != nil {
		return err
	}
	link := m.tree.path("var/lib/cloud/instance")
	if err := os.RemoveAll(link); err != nil {
		return err
	}
	if err := os.Symlink(m.tree.path(dir), link); err != nil {
		return err
	}
	m.instance = dir
	_, err := os.Stat(m.tree.path(filepath.Join(dir, "sem/users")))
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
	return m.write(filepath.Join(dir, "sem/users"), utcNow()+"\n", 0o644)
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
		who, err := m.tree.addUser(u)
		if err == nil {
			err = m.permit(who.Name, u.Sudo)
		}
		if err == nil && len(u.AuthorizedKeys) > 0 {
			err = m.tree.authorize(who, u.AuthorizedKeys, true)
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
	path := m.tree.path(f.Path)
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

// recordPackages notes what apt would have installed: there is no network to fetch it from.
func (m *machine) recordPackages() {
	if len(m.config.Packages) == 0 && !m.config.PackageUpdate && !m.config.PackageUpgrade {
		return
	}
	list := strings.Join(m.config.Packages, "\n") + "\n"
	if err := m.write("var/lib/cloud/emulated-packages", list, 0o644); err != nil {
		m.status.fail(err)
	}
	m.logf("cc_package_update_upgrade_install[INFO]: recorded, not installed: %s", strings.Join(m.config.Packages, " "))
}

// runScript runs a script of the instance as root; its output goes to the log and the console.
func (m *machine) runScript(name, script string, wanted bool) error {
	if !wanted {
		return nil
	}
	if !m.boot.Isolated {
		m.logf("%s: not run, for without isolation it would change the host", name)
		return nil
	}
	file := filepath.Join(m.instance, "scripts", name)
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
	path := m.tree.path(file)
	env := append(m.root.environment(rootAccount(), wire.Exec{}, ""), "INSTANCE_ID="+m.boot.InstanceID)
	attr := &os.ProcAttr{Dir: "/", Env: env, Files: []*os.File{null, in, in}, Sys: newSession()}
	cmd, err := m.root.reaper.start(path, []string{path}, attr, m.root.prepare)
	in.Close()
	if err != nil {
		out.Close()
		return err
	}
	// What a script leaves running may hold its output open; the stage ends with the script.
	go m.logLines(out)
	if exit := exitOf(<-cmd.done); exit.Code != 0 {
		return fmt.Errorf("%s: exit code %d", name, exit.Code)
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
		m.logf("%s", line)
	}
}

// logf writes a line to cloud-init's logs and the serial console.
func (m *machine) logf(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	for _, name := range []string{"var/log/cloud-init-output.log", "var/log/cloud-init.log"} {
		_ = m.tree.appendLine(name, line) // a full disk must not stop the boot
	}
	_ = m.conn.Send(wire.Notice{Console: []byte(line + "\n")})
}

func utcNow() string { return time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000") }

func (m *machine) writeJSON(name string, value any) error {
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	return m.write(name, string(data)+"\n", 0o644)
}
